import { once } from 'node:events';
import { join } from 'node:path';
import { end, runModule, start } from '../support/processes';
import { printTable } from '../support/table';
import type { CannedJob } from './canned-server';
import type { ScanFigures, ScanJobOrder } from './scan-client';
import type { SectionOptions } from './section';

const AT_ONCE = 1000;
/** Four connections to an address at most, so that 1,000 endpoints can be under way. */
const WHERE: CannedJob = { net: '127.2', addresses: AT_ONCE / 4 };
const LOOKS = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

/** Memory with 1,000 endpoints at once, and what 100,000 leave behind; each name has a certificate of its own. */
export async function memory({ isQuick }: SectionOptions): Promise<void> {
  const count = isQuick ? 10_000 : 100_000;
  const figures = await scanCanned(count);
  if (figures.scanned < count) console.log(`memory: ${figures.scanned} of ${count} scanned; the figures are no good.`);
  const rss = figures.rssMb.map(({ at, rss: mb }) => ({
    what: at === 0 ? 'before the scan, no thread yet' : `after ${at} endpoints`,
    figure: megabytes(mb),
  }));
  const growth = (figures.rssMb.at(-1)?.rss ?? NaN) - (figures.rssMb[1]?.rss ?? NaN);
  printTable(`memory: resident set of the scanning process, ${AT_ONCE} endpoints at once, ${count} in one scan`, [
    { what: 'highest', figure: megabytes(figures.peakRssMb), bar: '<= 130 MB' },
    { what: `growth from 1000 to ${count} endpoints`, figure: megabytes(growth), bar: '<= 10 MB' },
    ...rss,
    { what: 'endpoints/s', figure: ((1000 * count) / figures.wallMs).toFixed(0) },
  ]);
}

async function scanCanned(count: number): Promise<ScanFigures> {
  const server = start(process.execPath, [join(__dirname, 'canned-server.js')], {
    core: 'server',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    server.send(WHERE);
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    return await runModule<ScanJobOrder, ScanFigures>(
      join(__dirname, 'scan-client.js'),
      { endpoints: { ...WHERE, count, port }, settings: { concurrency: AT_ONCE }, warmUp: 0, memoryAt: LOOKS },
      'client',
    );
  } finally {
    await end(server);
  }
}

function megabytes(mb: number): string {
  return `${mb.toFixed(0)} MB`;
}
