import { readFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { basename, join } from 'node:path';
import { hasNginx, startNginx } from '../support/nginx';
import { temporaryFolder } from '../support/processes';
import { scanNginx } from './rate';
import type { SectionOptions } from './section';

const TOP = 25;

/** Where the worker thread's time goes: functions by their own time. */
export async function profile({ isQuick }: SectionOptions): Promise<void> {
  if (!hasNginx()) return console.log('\nprofile: nginx is not installed, nothing measured.');
  const nginx = await startNginx(100);
  const file = join(temporaryFolder(), 'worker.cpuprofile');
  const count = isQuick ? 1000 : 6000;
  const figures = await scanNginx(nginx, count, 100, { profile: file }).finally(() => nginx.close());
  const own = ownTimes(JSON.parse(readFileSync(file, 'utf8')) as Profiler.Profile);
  const busy = [...own].filter(([name]) => !name.startsWith('(idle)') && !name.startsWith('(program)'));
  const total = busy.reduce((sum, [, time]) => sum + time, 0);
  console.log(
    `\n### profile: ${count} endpoints, ${figures.connections} connections, self time of the worker thread\n`,
  );
  console.log(`busy ${(total / 1000).toFixed(0)} ms, whole process ${figures.cpuMs.toFixed(0)} ms of CPU\n`);
  for (const [name, time] of busy.toSorted((a, b) => b[1] - a[1]).slice(0, TOP)) {
    console.log(`${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
  }
}

/** Microseconds spent in each function itself, by its name and place. */
function ownTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url === '' ? '' : `${basename(url)}:${lineNumber + 1}`}`,
    ]),
  );
  const times = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? '';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0));
  });
  return times;
}
