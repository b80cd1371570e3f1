import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { makeEndpoint } from '../../lib/model/endpoint';
import { failureReason } from '../../lib/model/report';
import { DEFAULT_SCAN_SETTINGS } from '../../lib/scan/settings';
import { createThreads, type Threads } from '../../lib/scan/threads';

describe('worker threads', function () {
  this.timeout(30_000);
  const STAND_IN = join(__dirname, 'pool-stand-in');
  /** Every thread that was started, in order. */
  let started: { worker: Worker; threadId: number; exit: Promise<unknown> }[];
  let threads: Threads;
  const note = (worker: Worker): void =>
    void started.push({ worker, threadId: worker.threadId, exit: once(worker, 'exit') });
  beforeEach(() => {
    started = [];
    process.on('worker', note);
  });
  afterEach(async () => {
    process.off('worker', note);
    await threads.close();
  });

  const stopped = new Int32Array(new SharedArrayBuffer(4));

  /** What a task says by its name; `null` where it was not begun, the error's text where it failed. */
  async function run(name: string, options: { runId?: string; stopped?: Int32Array } = {}): Promise<string | null> {
    const endpoint = makeEndpoint({ domain: `${name}.example`, ip: '192.0.2.1', port: 443, starttls: null });
    const task = { runId: 'run', endpoint, connections: 1, settings: DEFAULT_SCAN_SETTINGS, stopped, ...options };
    try {
      const report = await threads.run(task);
      return report && failureReason(report);
    } catch (error) {
      return String(error);
    }
  }

  function runAll(...names: string[]): Promise<(string | null)[]> {
    return Promise.all(names.map(name => run(name)));
  }

  it('start a second one only when the first is busy', async () => {
    threads = createThreads({ workerFile: STAND_IN, maxThreads: 2 });
    const hanging = Array.from({ length: 19 }, () => run('hang'));
    const first = await run('where');
    assert.equal(started.length, 1);
    const last = run('hang');
    const second = await run('where');
    assert.equal(started.length, 2);
    assert.notEqual(second, first);
    await runAll(...Array.from({ length: 60 }, () => 'late'));
    assert.equal(started.length, 2, 'no more than allowed');
    threads.stop('run');
    assert.deepEqual(new Set(await Promise.all([...hanging, last])), new Set(['HEARD_STOP']));
  });

  it('end when there was nothing to do for a while, and start again', async () => {
    threads = createThreads({ workerFile: STAND_IN, idleTimeoutMs: 20 });
    await run('where');
    await started[0]!.exit;
    await run('where');
    assert.equal(started.length, 2);
    await started[1]!.exit;
  });

  it('do not end while something is under way', async () => {
    threads = createThreads({ workerFile: STAND_IN, idleTimeoutMs: 20 });
    const hanging = run('hang');
    const where = await run('where'); // nothing of this one is left now
    await run('late');
    assert.equal(await run('where'), where);
    threads.stop('run');
    assert.equal(await hanging, 'HEARD_STOP');
  });

  it('hear of a stop after the tasks that were given to them before', async () => {
    threads = createThreads({ workerFile: STAND_IN });
    const hanging = run('hang');
    threads.stop('run'); // in the same turn: the task has not been sent yet
    assert.equal(await hanging, 'HEARD_STOP');
  });

  it('hand over what is finished before a fault ends them', async () => {
    threads = createThreads({ workerFile: STAND_IN, maxThreads: 1 });
    const [where, again] = await runAll('where', 'where', 'crash');
    const first = `THREAD_${started[0]!.threadId}`;
    assert.deepEqual([where, again], [first, first], 'the answers of the thread that was lost');
  });

  for (const fault of ['crash', 'die']) {
    it(`try what a fault took along once more, and blame who does it again (${fault})`, async () => {
      threads = createThreads({ workerFile: STAND_IN, maxThreads: 1 });
      const answers = await runAll('late', fault, 'late', 'late', fault, 'late', 'late');
      assert.deepEqual(
        answers.map(answer => answer === 'ANSWERED'),
        [true, false, true, true, false, true, true],
      );
      assert.match(String(answers[1]), /worker thread ended/);
    });
  }

  it('say what ended them', async () => {
    threads = createThreads({ workerFile: STAND_IN });
    assert.match(String(await run('crash')), /code 1: Error: nobody catches this/);
  });

  it('try nothing again that only failed itself', async () => {
    threads = createThreads({ workerFile: STAND_IN });
    assert.match(String(await run('throw')), /a fault in the scanner/);
    assert.equal(started.length, 1);
  });

  it('try nothing again where threads cannot start', async () => {
    threads = createThreads({ workerFile: join(__dirname, 'no-such-file') });
    assert.match(String(await run('where')), /Cannot find module/);
    assert.equal(started.length, 1);
  });

  it('stop what is tried again, and do not begin what waits for it', async () => {
    threads = createThreads({ workerFile: STAND_IN, maxThreads: 1 });
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const poison = run('crash', { runId: 'other' });
    const hanging = Array.from({ length: 6 }, () => run('hang', { stopped: flag }));
    assert.match(String(await poison), /nobody catches this/); // the second time
    Atomics.store(flag, 0, 1);
    threads.stop('run');
    const answers = await Promise.all(hanging);
    assert.ok(answers.includes(null), answers.join());
    assert.ok(
      answers.every(answer => answer === null || answer === 'HEARD_STOP'),
      answers.join(),
    );
  });

  it('start nothing again after they were closed', async () => {
    threads = createThreads({ workerFile: STAND_IN, maxThreads: 1 });
    const poison = run('crash');
    const hanging = Array.from({ length: 6 }, () => run('hang'));
    await poison;
    await threads.close();
    const count = started.length;
    for (const answer of await Promise.all(hanging)) assert.match(String(answer), /worker thread/);
    assert.equal(started.length, count);
  });
});
