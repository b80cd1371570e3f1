import { join } from 'node:path';
import { hasNginx, startNginx, type Nginx } from '../support/nginx';
import { runModule, type Core } from '../support/processes';
import { milliseconds, printTable } from '../support/table';
import type { FlowFigures, FlowJob } from './flow-client';
import { WARM_UP } from './rate';
import type { SectionOptions } from './section';

const CERTIFICATES = 100;
const LOOP_ENDPOINTS = 2000;

/** CPU time per endpoint of the whole flow: scan, repository, vulnerability watch and Expiry Check. */
export async function flow({ isQuick }: SectionOptions): Promise<void> {
  if (!hasNginx()) return console.log('\nflow: nginx is not installed, nothing measured.');
  const nginx = await startNginx(CERTIFICATES);
  const count = isQuick ? 1000 : 6000;
  const figures = await runFlow(nginx, { count, warmUp: WARM_UP, idleMs: 0, core: 'client' }).finally(() =>
    nginx.close(),
  );
  complain('flow', figures);
  const { wallMs, cpuMs, mainThreadCpuMs } = figures;
  printTable('flow: as rate, with repository file, vulnerability watch and Expiry Check', [
    { what: 'endpoints/s', figure: ((1000 * count) / wallMs).toFixed(0) },
    { what: 'CPU per endpoint', figure: milliseconds(cpuMs / count), bar: '<= 1.20 ms' },
    { what: 'of that the main thread', figure: milliseconds(mainThreadCpuMs / count) },
  ]);
}

/** Delay of the main event loop while endpoints are scanned into the repository. */
export async function loopDelay(): Promise<void> {
  if (!hasNginx()) return console.log('\nloop-delay: nginx is not installed, nothing measured.');
  const nginx = await startNginx(CERTIFICATES);
  const order = { count: LOOP_ENDPOINTS, warmUp: 0, idleMs: 3000, core: 'any' as const };
  const figures = await runFlow(nginx, order).finally(() => nginx.close());
  complain('loop-delay', figures);
  const { idle, busy } = figures;
  printTable(`loop-delay: main event loop, ${LOOP_ENDPOINTS} endpoints into the repository, idle beside it`, [
    { what: '99th percentile', figure: milliseconds(busy.p99Ms), bar: '<= 20 ms', peer: milliseconds(idle.p99Ms) },
    { what: 'median', figure: milliseconds(busy.p50Ms), peer: milliseconds(idle.p50Ms) },
    { what: 'longest', figure: milliseconds(busy.maxMs), peer: milliseconds(idle.maxMs) },
  ]);
}

function runFlow(
  nginx: Nginx,
  { count, core, ...order }: Pick<FlowJob, 'warmUp' | 'idleMs'> & { count: number; core: Core },
): Promise<FlowFigures> {
  const job = { endpoints: nginx.endpoints(count), settings: { concurrency: 100, ca: [nginx.ca] }, ...order };
  return runModule<FlowJob, FlowFigures>(join(__dirname, 'flow-client.js'), job, core);
}

function complain(section: string, { endpoints, recorded, findings }: FlowFigures): void {
  if (recorded === endpoints && findings === 0) return;
  console.log(`${section}: ${recorded} of ${endpoints} recorded, ${findings} findings; the figures are no good.`);
}
