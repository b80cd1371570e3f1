import { join } from 'node:path';
import { FakeRequestTracker } from '../../test/fakes/request-tracker';
import { printMachine } from '../support/machine';
import { runModule, temporaryFolder } from '../support/processes';
import { milliseconds, printTable, seconds, times } from '../support/table';
import type { DeskFigures, DeskJob } from './desk-client';
import { keyOf, subjectOf } from './names';

const COUNT = 10_000;
/** As a Notification Policy hands them on, which takes as long with each as the desk. */
const WAITING = 500;
const CLIENT = join(__dirname, 'desk-client.js');

const SECTIONS: Record<string, (count: number) => Promise<void>> = { new: newFindings, known: knownTickets };

/** `npm run bench -- desk [new] [known] [--quick]` */
export async function benchDesk(names: readonly string[], { isQuick }: { isQuick: boolean }): Promise<void> {
  const unknown = names.filter(name => !(name in SECTIONS));
  if (unknown.length > 0) throw new Error(`There is no section ${unknown.join(', ')}. Sections: new, known.`);
  printMachine();
  for (const name of names.length > 0 ? names : Object.keys(SECTIONS)) await SECTIONS[name]?.(isQuick ? 1000 : COUNT);
}

/** New findings against the embedded desk, beside plain inserts into the same kind of file. */
async function newFindings(count: number): Promise<void> {
  const job: DeskJob = { folder: temporaryFolder(), count, waiting: count };
  const figures = await runModule<DeskJob, DeskFigures>(CLIENT, job, 'any');
  complain(figures, 'created', count);
  const { wallMs, plainMs, p99Ms, peakRssMb } = figures;
  printTable(`new: ${count} new findings, embedded desk, SQLite in a file`, [
    { what: 'tickets/s', figure: perSecond(count, wallMs), peer: `${perSecond(count, plainMs)} plain inserts/s` },
    { what: 'time of a plain insert, one commit each', figure: times(wallMs / plainMs), bar: '<= 5 x' },
    { what: 'delay of the event loop, 99th percentile', figure: milliseconds(p99Ms), bar: '<= 50 ms' },
    { what: 'memory', figure: `${peakRssMb.toFixed(0)} MB` },
  ]);
}

/** Known open tickets, all unchanged, at a helpdesk that can be asked for many at once. */
async function knownTickets(count: number): Promise<void> {
  const fake = await FakeRequestTracker.start();
  try {
    for (let index = 0; index < count; index++) fake.seed({ key: keyOf(index), subject: subjectOf(index) });
    const { url, token } = fake;
    const requestTracker = { url, token, queue: FakeRequestTracker.queue };
    const run = async (waiting: number): Promise<DeskFigures> => {
      const job: DeskJob = { folder: temporaryFolder(), count, waiting, requestTracker };
      await runModule<DeskJob, DeskFigures>(CLIENT, { ...job, isSetUp: true }, 'any');
      fake.requests = 0;
      const figures = await runModule<DeskJob, DeskFigures>(CLIENT, job, 'any');
      complain(figures, 'left', count);
      return figures;
    };
    const atOnce = await run(count);
    const { requests } = fake;
    const { wallMs, p99Ms, peakRssMb } = await run(WAITING);
    printTable(`known: ${count} known open tickets, all unchanged, Request Tracker (a fake that counts)`, [
      {
        what: `requests, ${WAITING} Findings wait at most`,
        figure: String(fake.requests),
        bar: `<= ${count / 100 + 10}`,
      },
      { what: 'wall time', figure: seconds(wallMs), bar: '< 60 s' },
      { what: 'memory', figure: `${peakRssMb.toFixed(0)} MB`, bar: '<= 150 MB' },
      { what: 'delay of the event loop, 99th percentile', figure: milliseconds(p99Ms) },
      { what: 'all Findings at once: requests', figure: String(requests), bar: `<= ${count / 100 + 10}` },
      { what: 'all Findings at once: wall time', figure: seconds(atOnce.wallMs), bar: '< 60 s' },
      { what: 'all Findings at once: memory', figure: `${atOnce.peakRssMb.toFixed(0)} MB`, bar: '<= 150 MB' },
    ]);
  } finally {
    await fake.stop();
  }
}

function complain({ actions }: DeskFigures, action: string, count: number): void {
  if (actions[action] !== count) console.log(`${JSON.stringify(actions)} of ${count}: the figures are no good.`);
}

function perSecond(count: number, ms: number): string {
  return ((1000 * count) / ms).toFixed(0);
}
