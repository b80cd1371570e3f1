import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { WorkerOptions } from 'node:worker_threads';
import type { EndpointReport } from '../model/report';
import type { ScanTask } from './task-handler';
import { Thread, ThreadLost } from './thread';
import { Turns } from './turns';

/** The worker threads that look at endpoints. */
export interface Threads {
  /**
   * Null when the run was stopped before the task was begun. A task whose thread ends under it is tried once more, alone
   * on a thread, since any of those that were there may be to blame. Rejects for a fault in the task, for one that ends
   * its second thread too, and when threads cannot start.
   */
  run(task: ScanTask): Promise<EndpointReport | null>;
  /** Tells all threads that a run was stopped; what they do for other runs goes on. */
  stop(runId: string): void;
  /** Ends all threads, whatever they are doing. */
  close(): Promise<void>;
}

/** Scanning is mostly waiting, so few threads do; the rest of the machine is Node-RED's. */
const MAX_THREADS = Math.max(1, Math.min(2, availableParallelism() - 1));
const IDLE_TIMEOUT_MS = 10_000;
/** With less under way than this in every thread, one more would not be worth its memory. */
const BUSY = 20;
/** Threads for second tries, each with one task at a time. */
const MAX_RETRYING = 2;
const NEVER = new AbortController().signal;

/** Threads start when there is work, end when there was none for a while, and never keep the process alive. */
export function createThreads(
  options: { workerFile?: string; maxThreads?: number; idleTimeoutMs?: number } = {},
): Threads {
  const { maxThreads = MAX_THREADS, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  const [file, workerOptions] = workerModule(options.workerFile ?? join(__dirname, 'worker'));
  const shared = new Set<Thread>();
  const retrying = new Set<Thread>();
  const retries = new Turns(MAX_RETRYING);
  let idleTimer: NodeJS.Timeout | undefined;
  let closings = 0;

  const all = (): Thread[] => [...shared, ...retrying];
  const closeAll = async (): Promise<void> => {
    clearTimeout(idleTimer);
    closings += 1;
    await Promise.all(all().map(thread => thread.close()));
  };
  const start = (among: Set<Thread>): Thread => {
    const thread = new Thread(file, workerOptions, () => among.delete(thread));
    among.add(thread);
    return thread;
  };
  /** The one with the least to do. */
  const pick = (): Thread => {
    const [least] = [...shared].sort((a, b) => a.load - b.load);
    return least === undefined || (least.load >= BUSY && shared.size < maxThreads) ? start(shared) : least;
  };
  const retry = (task: ScanTask, loss: ThreadLost): Promise<EndpointReport | null> => {
    const closed = closings;
    return retries.take(NEVER, async () => {
      if (Atomics.load(task.stopped, 0) !== 0) return null;
      if (closings !== closed) throw loss;
      const free = [...retrying].find(({ load }) => load === 0) ?? start(retrying);
      return free.run(task);
    });
  };
  const isIdle = (): boolean => all().every(({ load }) => load === 0);
  const closeLater = (): void => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => void (isIdle() && closeAll()), idleTimeoutMs).unref();
  };
  return {
    async run(task) {
      try {
        return await pick()
          .run(task)
          .catch((error: unknown) => {
            if (error instanceof ThreadLost) return retry(task, error);
            throw error;
          });
      } finally {
        if (isIdle()) closeLater();
      }
    },
    stop(runId) {
      for (const thread of all()) thread.stop(runId);
    },
    close: closeAll,
  };
}

/** The module as built, else its TypeScript source with the loader that tests and scripts of this project run under. */
function workerModule(path: string): [string, WorkerOptions] {
  if (existsSync(`${path}.js`)) return [`${path}.js`, {}];
  return [`${path}.ts`, { execArgv: ['--require', require.resolve('tsx/cjs')] }];
}
