import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import type { Endpoint } from '../../lib/model/endpoint';
import { failureReason, type EndpointReport } from '../../lib/model/report';
import { startScan } from '../../lib/scan/pool';
import type { ScanServices } from '../../lib/scan/scan-run';
import { DEFAULT_SCAN_SETTINGS, type Scan, type ScanSettings } from '../../lib/scan/settings';
import { parseTargets } from '../../lib/scan/targets/parse';
import type { ScanTask } from '../../lib/scan/task-handler';
import { createThreads, type Threads } from '../../lib/scan/threads';
import { makeUnreachable } from '../../lib/scan/unreachable';

/** A scan with what it told, and a way to wait for the first `count` reports. */
interface Told {
  scan: Scan;
  endpoints: Endpoint[][];
  reports: EndpointReport[];
  /** Reasons by domain. */
  reasons: () => Record<string, string>;
}

let runs = 0;

function begin(
  targets: string,
  threads: Threads,
  options: {
    settings?: Partial<ScanSettings>;
    onReport?: (report: EndpointReport, isLast: boolean) => void;
    lookupAll?: ScanServices['lookupAll'];
  } = {},
): Told {
  const endpoints: Endpoint[][] = [];
  const reports: EndpointReport[] = [];
  const settings = { ...DEFAULT_SCAN_SETTINGS, ...options.settings };
  const scan = startScan(
    { runId: `run-${++runs}`, targets: parseTargets(targets), settings, forced: false },
    {
      onPlace: all => void endpoints.push(all),
      onReport: (report, isLast) => {
        reports.push(report);
        options.onReport?.(report, isLast);
      },
    },
    { threads, lookupAll: options.lookupAll },
  );
  const reasons = (): Record<string, string> =>
    Object.fromEntries(reports.map(report => [report.endpoint.domain ?? '', failureReason(report)]));
  return { scan, endpoints, reports, reasons };
}

describe('a scan on the main thread', () => {
  /** Threads of the test's own: every task waits until the test answers it. */
  class Held implements Threads {
    readonly tasks: { task: ScanTask; answer: (report: EndpointReport | null) => void; fail: () => void }[] = [];
    readonly stops: string[] = [];
    private listeners: (() => void)[] = [];

    run(task: ScanTask): Promise<EndpointReport | null> {
      return new Promise((answer, reject) => {
        this.tasks.push({ task, answer, fail: () => reject(new Error('thread is gone')) });
        this.listeners.splice(0).forEach(listener => listener());
      });
    }
    stop(runId: string): void {
      this.stops.push(runId);
    }
    close(): Promise<void> {
      return Promise.resolve();
    }
    /** Resolves when `count` tasks are under way or were answered. */
    async started(count: number): Promise<void> {
      while (this.tasks.length < count) await new Promise<void>(resolve => this.listeners.push(resolve));
    }
    answer(index: number, status: EndpointReport['status'] = 'scanned', connections = 5): void {
      const { task, answer } = this.tasks[index]!;
      const { runId, settings, endpoint } = task;
      const scannedAt = '2026-01-02T03:04:05.000Z';
      const report = makeUnreachable(endpoint, 'tcp', 'ECONNREFUSED', { runId, settings, scannedAt, connections });
      answer({ ...report, status });
    }
  }

  it('tells of each place, then each report, then the summary', async () => {
    const threads = new Held();
    const { scan, endpoints, reports } = begin('a.example@192.0.2.1,b.example@192.0.2.2,c.example@192.0.2.3', threads);
    await threads.started(3);
    threads.answer(2, 'unreachable', 1);
    threads.answer(0);
    threads.answer(1, 'partial', 3);
    const summary = await scan.finished;
    assert.deepEqual(endpoints.length, 3);
    assert.deepEqual(
      reports.map(({ endpoint }) => endpoint.domain),
      ['c.example', 'a.example', 'b.example'],
    );
    const { runId, startedAt, finishedAt, ...counts } = summary;
    assert.equal(runId, scan.runId);
    assert.ok(startedAt <= finishedAt);
    assert.deepEqual(counts, {
      stopped: false,
      forced: false,
      endpoints: 3,
      scanned: 1,
      partial: 1,
      unreachable: 1,
      connections: 9,
      unreachableEndpoints: [{ name: 'c.example@192.0.2.3:443', reason: 'ECONNREFUSED' }],
    });
  });

  it('keeps both limits, counting connections', async () => {
    const threads = new Held();
    const settings = { concurrency: 3, perHost: 2 };
    const { scan } = begin('192.0.2.1:1,2,3,4\n192.0.2.2:1\n192.0.2.3:1', threads, { settings });
    await threads.started(2);
    const held = (): number => threads.tasks.reduce((sum, { task }) => sum + task.connections, 0);
    assert.ok(held() <= 3);
    assert.ok(threads.tasks.filter(({ task }) => task.endpoint.ip === '192.0.2.1').length <= 2);
    for (let done = 0; done < 6; done++) {
      await threads.started(done + 1);
      threads.answer(done);
    }
    assert.equal((await scan.finished).scanned, 6);
  });

  it('gives a single endpoint all connections of its host', async () => {
    const threads = new Held();
    const { scan } = begin('192.0.2.1', threads);
    await threads.started(1);
    assert.equal(threads.tasks[0]?.task.connections, 4);
    threads.answer(0);
    await scan.finished;
  });

  it('reports a name that does not resolve and asks no thread for it', async () => {
    const threads = new Held();
    const lookupAll = (): Promise<string[]> => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    const { scan, reports } = begin('gone.example:443,8443', threads, { lookupAll });
    const summary = await scan.finished;
    assert.equal(threads.tasks.length, 0);
    assert.deepEqual(reports[0]?.stages.dns, { status: 'failed', reason: 'ENOTFOUND' });
    assert.deepEqual(summary.unreachableEndpoints, [
      { name: 'gone.example:443', reason: 'ENOTFOUND' },
      { name: 'gone.example:8443', reason: 'ENOTFOUND' },
    ]);
  });

  it('ends at once where everything is excluded', async () => {
    const targets = parseTargets('192.0.2.1', { exclude: '192.0.2.0/24' });
    const nothing = (): void => assert.fail('nothing to tell');
    const scan = startScan(
      { runId: 'none', targets, settings: DEFAULT_SCAN_SETTINGS, forced: true },
      { onPlace: nothing, onReport: nothing },
      { threads: new Held() },
    );
    const summary = await scan.finished;
    assert.equal(summary.endpoints, 0);
    assert.equal(summary.forced, true);
  });

  it('tells all endpoints of a place before its first report, wherever they stand, and which report is the last', async () => {
    const threads = new Held();
    const told: string[] = [];
    const scan = startScan(
      {
        runId: 'places',
        targets: parseTargets('a.example@192.0.2.1\nb.example@192.0.2.2\na.example@192.0.2.1:8443'),
        settings: { ...DEFAULT_SCAN_SETTINGS, concurrency: 1 },
        forced: false,
      },
      {
        onPlace: (endpoints, total) => void told.push(`${endpoints.map(({ name }) => name).join(' ')} of ${total}`),
        onReport: ({ endpoint }, isLast) => void told.push(`report ${endpoint.name}${isLast ? ', last' : ''}`),
      },
      { threads },
    );
    for (const index of [0, 1, 2]) {
      await threads.started(index + 1);
      threads.answer(index);
    }
    await scan.finished;
    const places = ['a.example@192.0.2.1:443 a.example@192.0.2.1:8443 of 3', 'b.example@192.0.2.2:443 of 3'];
    assert.ok(told.indexOf(places[0]!) < told.indexOf('report a.example@192.0.2.1:443'));
    assert.ok(told.indexOf(places[1]!) < told.indexOf('report b.example@192.0.2.2:443, last'));
    assert.equal(told.length, 5);
    assert.equal(told[0], places[0]);
    assert.deepEqual(
      told.filter(line => line.startsWith('report')).map(line => line.endsWith('last')),
      [false, false, true],
    );
  });

  it('makes endpoints only as they can be used', async () => {
    const threads = new Held();
    const targets = parseTargets('10.0.0.0/16\n10.9.0.0/16');
    let made = 0;
    const counted = {
      ...targets,
      targets: {
        *[Symbol.iterator]() {
          for (const target of targets.targets) {
            made += 1;
            yield target;
          }
        },
      },
    };
    const settings = { ...DEFAULT_SCAN_SETTINGS, concurrency: 4 };
    const scan = startScan(
      { runId: 'lazy', targets: counted, settings, forced: false },
      { onPlace: () => {}, onReport: () => {} },
      { threads },
    );
    await threads.started(1);
    assert.equal(threads.tasks.length, 4);
    assert.ok(made % 2 === 1, 'the second block was not begun yet');
    scan.stop();
    await scan.finished;
  });

  it('finds something to do at other addresses behind many names of one', async () => {
    const threads = new Held();
    const names = Array.from({ length: 3000 }, (_, index) => `n${index}.example@192.0.2.1`);
    const lines = [...names, 'other.example@192.0.2.2'];
    const { scan } = begin(lines.join('\n'), threads, { settings: { concurrency: 10, perHost: 2 } });
    await threads.started(3);
    assert.deepEqual(threads.tasks.map(({ task }) => task.endpoint.ip).sort(), ['192.0.2.1', '192.0.2.1', '192.0.2.2']);
    scan.stop();
    await scan.finished;
  });

  it('hands a burst of reports over a few per turn of the event loop', async () => {
    const threads = new Held();
    let turn = 0;
    let isRunning = true;
    const count = (): void => {
      turn += 1;
      if (isRunning) setImmediate(count);
    };
    const perTurn = new Map<number, number>();
    const onReport = (): void => void perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
    const { scan } = begin('192.0.2.0/24', threads, { settings: { concurrency: 256 }, onReport });
    await threads.started(256);
    setImmediate(count);
    for (let index = 0; index < 256; index++) threads.answer(index);
    await scan.finished;
    isRunning = false;
    assert.ok(Math.max(...perTurn.values()) <= 10, [...perTurn.values()].join());
  });

  it('reports what is in flight as STOPPED when stopped, counts the rest, and tells the threads', async () => {
    const threads = new Held();
    const settings = { concurrency: 2, perHost: 1 };
    const { scan, reports } = begin('192.0.2.0/28', threads, { settings });
    await threads.started(2);
    scan.stop();
    scan.stop();
    assert.deepEqual(threads.stops, [scan.runId]);
    assert.equal(Atomics.load(threads.tasks[0]!.task.stopped, 0), 1);
    threads.answer(0, 'scanned', 5);
    threads.tasks[1]!.answer(null);
    const summary = await scan.finished;
    assert.deepEqual(reports.map(failureReason), ['STOPPED', 'STOPPED']);
    assert.equal(threads.tasks.length, 2, 'nothing more was started');
    assert.deepEqual([summary.stopped, summary.endpoints, summary.unreachable], [true, 16, 16]);
    assert.equal(summary.connections, 5, 'what it cost counts');
  });

  it('reports all of a place that was begun when stopped, so that it can be judged', async () => {
    const threads = new Held();
    const isLast: boolean[] = [];
    const { scan, reports } = begin('a.example@192.0.2.1:443,444,445\nb.example@192.0.2.1', threads, {
      settings: { concurrency: 1, perHost: 1 },
      onReport: (_, last) => isLast.push(last),
    });
    await threads.started(1);
    threads.answer(0);
    await threads.started(2);
    scan.stop();
    threads.tasks[1]!.answer(null);
    const { endpoints, scanned, unreachable, unreachableEndpoints } = await scan.finished;
    assert.deepEqual(reports.map(({ endpoint }) => endpoint.port).sort(), [443, 444, 445]);
    assert.deepEqual([endpoints, scanned, unreachable, unreachableEndpoints.length], [4, 1, 3, 2]);
    assert.deepEqual(isLast, [false, false, true]);
  });

  it('stops a run of 200,000 endpoints at once, and holds the event loop never for long', async () => {
    const threads = new Held();
    const { scan } = begin('10.0.0.0/16:1,2,3', threads, { settings: { concurrency: 100 } });
    await threads.started(100);
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    const stoppedAt = Date.now();
    scan.stop();
    for (const { answer } of threads.tasks) answer(null);
    const { endpoints, unreachable } = await scan.finished;
    histogram.disable();
    assert.ok(Date.now() - stoppedAt < 1000, `${Date.now() - stoppedAt} ms`);
    assert.ok(histogram.max < 500e6, `${histogram.max / 1e6} ms`);
    assert.deepEqual([endpoints, unreachable], [196_608, 196_608]);
  });

  it('does not wait for a thread that does not hear the stop', async () => {
    const threads = new Held();
    const { scan, reports } = begin('192.0.2.1', threads);
    await threads.started(1);
    const stoppedAt = Date.now();
    scan.stop();
    await scan.finished;
    assert.ok(Date.now() - stoppedAt < 1000);
    threads.answer(0);
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(reports.map(failureReason), ['STOPPED']);
  });

  it('can be stopped while names are looked up', async () => {
    const threads = new Held();
    const { scan, endpoints, reports } = begin('a.example,b.example@192.0.2.1', threads, {
      lookupAll: () => new Promise(() => {}),
    });
    scan.stop();
    const summary = await scan.finished;
    assert.deepEqual([endpoints, reports], [[], []], 'nothing was begun');
    assert.deepEqual([summary.stopped, summary.endpoints, summary.unreachable], [true, 2, 2]);
  });

  it('does nothing when stopped after its end', async () => {
    const threads = new Held();
    const { scan } = begin('192.0.2.1', threads);
    await threads.started(1);
    threads.answer(0);
    const summary = await scan.finished;
    scan.stop();
    assert.equal(summary.stopped, false);
    assert.deepEqual(threads.stops, []);
  });

  it('reports the endpoints of a thread that failed and goes on', async () => {
    const threads = new Held();
    const settings = { concurrency: 1, perHost: 1 };
    const { scan, reasons } = begin('a.example@192.0.2.1\nb.example@192.0.2.2', threads, { settings });
    await threads.started(1);
    threads.tasks[0]!.fail();
    await threads.started(2);
    threads.answer(1, 'unreachable');
    await scan.finished;
    assert.deepEqual(reasons(), { 'a.example': 'WORKER_FAILED', 'b.example': 'ECONNREFUSED' });
  });

  it('rejects only when a callback throws, and asks nothing more then', async () => {
    const threads = new Held();
    const onReport = (): void => {
      throw new Error('out of order');
    };
    const settings = { concurrency: 1, perHost: 1 };
    const { scan, reports } = begin('192.0.2.0/30', threads, { settings, onReport });
    await threads.started(1);
    threads.answer(0);
    await assert.rejects(scan.finished, /out of order/);
    assert.deepEqual(threads.stops, [scan.runId]);
    assert.equal(reports.length, 1);
  });
});

describe('a scan in worker threads', function () {
  this.timeout(30_000);
  let threads: Threads;
  beforeEach(() => {
    threads = createThreads({ workerFile: join(__dirname, 'pool-stand-in') });
  });
  afterEach(() => threads.close());

  /** Resolves with the first report of the scan; what was started before it is under way then. */
  function first(start: (onReport: (report: EndpointReport) => void) => Told): Promise<Told> {
    return new Promise(resolve => {
      const told = start(() => resolve(told));
    });
  }

  it('looks at every endpoint', async () => {
    const { scan, reports } = begin('10.0.0.0/23', threads);
    const summary = await scan.finished;
    assert.equal(summary.endpoints, 512);
    assert.deepEqual([...new Set(reports.map(failureReason))], ['ANSWERED']);
    assert.equal(new Set(reports.map(({ endpoint }) => endpoint.name)).size, 512);
  });

  it('stops one run within a second and leaves another alone', async () => {
    const other = begin('hang.other@192.0.2.9\nok.other@192.0.2.10', threads);
    const stopped = await first(onReport =>
      begin('hang.example@192.0.2.1\ndeaf.example@192.0.2.2\nok.example@192.0.2.3', threads, { onReport }),
    );
    const stoppedAt = Date.now();
    stopped.scan.stop();
    const summary = await stopped.scan.finished;
    assert.ok(Date.now() - stoppedAt < 1000, `${Date.now() - stoppedAt} ms`);
    assert.equal(summary.stopped, true);
    assert.deepEqual(stopped.reasons(), {
      'ok.example': 'ANSWERED',
      'hang.example': 'STOPPED',
      'deaf.example': 'STOPPED',
    });
    // What the thread itself answered to the stop brings what it cost; the deaf one was cut off.
    const connections = stopped.reports.map(({ endpoint, connections }) => `${endpoint.domain} ${connections}`);
    assert.ok(connections.includes('hang.example 4'), connections.join());
    assert.ok(connections.includes('deaf.example 0'), connections.join());
    assert.deepEqual(other.reasons(), { 'ok.other': 'ANSWERED' });
    other.scan.stop();
    await other.scan.finished;
  });

  it('does not begin what was stopped before a thread was there', async () => {
    const { scan, reasons } = begin('hang.example@192.0.2.1', threads);
    await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
    const stoppedAt = Date.now();
    scan.stop();
    await scan.finished;
    assert.ok(Date.now() - stoppedAt < 1000);
    assert.deepEqual(reasons(), { 'hang.example': 'STOPPED' });
  });

  for (const way of ['die', 'crash']) {
    it(`goes on when a thread is lost (${way})`, async () => {
      const settings = { concurrency: 1, perHost: 1 };
      const { scan, reasons } = begin(`${way}.example@192.0.2.1\nok.example@192.0.2.2`, threads, { settings });
      await scan.finished;
      assert.deepEqual(reasons(), { [`${way}.example`]: 'WORKER_FAILED', 'ok.example': 'ANSWERED' });
    });
  }

  it('takes a fault of the scanner for that one endpoint only', async () => {
    const { scan, reasons } = begin('throw.example@192.0.2.1\nok.example@192.0.2.2', threads);
    await scan.finished;
    assert.deepEqual(reasons(), { 'throw.example': 'WORKER_FAILED', 'ok.example': 'ANSWERED' });
  });

  it('reports and ends when threads cannot even start', async () => {
    const broken = createThreads({ workerFile: join(__dirname, 'no-such-file') });
    const { scan, reasons } = begin('a.example@192.0.2.1\nb.example@192.0.2.2', broken);
    await scan.finished;
    assert.deepEqual(reasons(), { 'a.example': 'WORKER_FAILED', 'b.example': 'WORKER_FAILED' });
    await broken.close();
  });

  it('ends its threads without losing track when closed in the middle', async () => {
    const { scan, reasons } = begin('deaf.example@192.0.2.1', threads);
    const closing = new Promise(resolve => setTimeout(resolve, 0)).then(() => threads.close());
    await Promise.all([closing, scan.finished]);
    assert.deepEqual(reasons(), { 'deaf.example': 'WORKER_FAILED' });
  });

  it('does not keep the process alive once it is done', async () => {
    const script = `
      const { createThreads } = require('./lib/scan/threads');
      const { startScan } = require('./lib/scan/pool');
      const { parseTargets } = require('./lib/scan/targets/parse');
      const { DEFAULT_SCAN_SETTINGS } = require('./lib/scan/settings');
      const threads = createThreads({ workerFile: require('node:path').resolve('test/scan/pool-stand-in') });
      const job = { runId: 'r', targets: parseTargets('192.0.2.1'), settings: DEFAULT_SCAN_SETTINGS, forced: false };
      startScan(job, { onPlace() {}, onReport() {} }, { threads }).finished.then(s => console.log('ended', s.endpoints));
    `;
    const root = join(__dirname, '..', '..');
    const args = ['--require', require.resolve('tsx/cjs'), '--eval', script];
    const startedAt = Date.now();
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 20_000 });
    assert.equal(stdout.trim(), 'ended 1');
    assert.ok(Date.now() - startedAt < 9000, 'it did not wait for idle threads to end');
  });
});
