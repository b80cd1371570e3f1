import { join } from 'node:path';
import type { Spent } from '../support/cpu';
import { runSslscanOver, type PeerRun, type PeerTarget } from '../support/peers';
import { hasNginx, NET, startNginx, type Nginx } from '../support/nginx';
import { runModule } from '../support/processes';
import { milliseconds, printTable, times, type Row } from '../support/table';
import { targetLines } from '../support/targets';
import type { BareJob } from './bare-client';
import type { ScanFigures, ScanJobOrder } from './scan-client';
import type { SectionOptions } from './section';

const CERTIFICATES = 100;
/** More than the scanner remembers: each certificate is new to it every time. */
const MANY_CERTIFICATES = 1000;
const CONCURRENCIES = [50, 100, 200];
/** Enough for V8 to have compiled all of it: the first 2,000 endpoints take more than twice the time of later ones. */
export const WARM_UP = 6000;
const BARE_CONNECTIONS = 20_000;
const SSLSCANS_AT_ONCE = 8;

/** Endpoints per second and CPU time per endpoint with one worker thread against nginx. */
export async function rate({ isQuick }: SectionOptions): Promise<void> {
  if (!hasNginx()) return console.log('\nrate: nginx is not installed, nothing measured.');
  const count = isQuick ? 1000 : 6000;
  const rows: Row[] = [];
  const nginx = await startNginx(CERTIFICATES);
  let best: ScanFigures | null = null;
  let sslscan: PeerRun | null;
  let bare: Spent;
  const sslscans = isQuick ? 40 : 200;
  try {
    for (const concurrency of CONCURRENCIES) {
      const figures = await scanNginx(nginx, count, concurrency);
      rows.push(...describe(`${CERTIFICATES} certificates, concurrency ${concurrency}`, figures));
      if (best === null || ratePerSecond(figures) > ratePerSecond(best)) best = figures;
    }
    const targets = targetLines(nginx.endpoints(sslscans)).map(peerTarget);
    sslscan = await runSslscanOver(targets, { atOnce: SSLSCANS_AT_ONCE, core: 'client' });
    bare = await connectBarely(nginx);
  } finally {
    await nginx.close();
  }
  rows.push(...compare(best, sslscan, sslscans), ...compareBare(best, bare));
  const many = await startNginx(isQuick ? 600 : MANY_CERTIFICATES);
  try {
    rows.push(...describe(`${many.certificates} certificates, concurrency 100`, await scanNginx(many, count, 100)));
  } finally {
    await many.close();
  }
  printTable('rate: one worker thread against nginx, client on one core, nginx on the other', rows);
}

export async function scanNginx(
  nginx: Nginx,
  count: number,
  concurrency: number,
  more: Partial<ScanJobOrder> = {},
): Promise<ScanFigures> {
  const settings = { concurrency, ca: [nginx.ca] };
  const job = { endpoints: nginx.endpoints(count), warmUp: WARM_UP, settings, ...more };
  return runModule<ScanJobOrder, ScanFigures>(join(__dirname, 'scan-client.js'), job, 'client');
}

function ratePerSecond({ endpoints, wallMs }: ScanFigures): number {
  return (1000 * endpoints) / wallMs;
}

function describe(what: string, figures: ScanFigures): Row[] {
  const { endpoints, scanned, trusted, connections, cpuMs, mainThreadCpuMs } = figures;
  if (scanned < endpoints || trusted < endpoints) {
    console.log(
      `rate: of ${endpoints} endpoints ${scanned} were scanned and ${trusted} trusted; the figures are no good.`,
    );
  }
  return [
    { what: `endpoints/s, ${what}`, figure: ratePerSecond(figures).toFixed(0), bar: '>= 1,200' },
    { what: `CPU per endpoint, ${what}`, figure: milliseconds(cpuMs / endpoints), bar: '<= 0.70 ms' },
    { what: `of that the main thread, ${what}`, figure: milliseconds(mainThreadCpuMs / endpoints) },
    { what: `connections per endpoint, ${what}`, figure: (connections / endpoints).toFixed(2), bar: '<= 5' },
  ];
}

function compare(best: ScanFigures | null, sslscan: PeerRun | null, count: number): Row[] {
  if (best === null) return [];
  if (sslscan === null) return [{ what: 'against sslscan', figure: '-', peer: 'not installed' }];
  const peerRate = (1000 * count) / sslscan.wallMs;
  const peerCpu = sslscan.cpuMs / count;
  return [
    {
      what: 'endpoints/s against sslscan (suites only)',
      figure: times(ratePerSecond(best) / peerRate),
      bar: '>= 8 x',
      peer: peerRate.toFixed(0),
    },
    {
      what: 'CPU per endpoint against sslscan (suites only)',
      figure: `1/${(peerCpu / (best.cpuMs / best.endpoints)).toFixed(1)}`,
      bar: '<= 1/10',
      peer: milliseconds(peerCpu),
    },
  ];
}

function connectBarely({ port, certificates }: Nginx): Promise<Spent> {
  const job = { net: NET, addresses: certificates, port, count: BARE_CONNECTIONS, atOnce: 100 };
  return runModule<BareJob, Spent>(join(__dirname, 'bare-client.js'), job, 'client');
}

/** What of the time belongs to the kernel and to node:net, and how much is left to save. */
function compareBare(best: ScanFigures | null, bare: Spent): Row[] {
  if (best === null) return [];
  const perConnection = bare.cpuMs / BARE_CONNECTIONS;
  const connections = best.connections / best.endpoints;
  return [
    {
      what: `CPU per endpoint against ${connections.toFixed(0)} bare connections of node:net`,
      figure: times(best.cpuMs / best.endpoints / (connections * perConnection)),
      peer: milliseconds(connections * perConnection),
    },
  ];
}

function peerTarget(target: string): PeerTarget {
  const [name = '', address = ''] = target.split('@');
  const [host = '', port = ''] = address.split(':');
  return { host, port: Number(port), name };
}
