import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { WorkerOptions } from 'node:worker_threads';
import type { EndpointReport } from '../model/report';
import type { ScanTask } from './task-handler';
import { Thread } from './thread';

/** The worker threads that look at endpoints. */
export interface Threads {
  /** Null when the run was stopped before the task was begun. Rejects when the thread fails. */
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

/** Threads start when there is work, end when there was none for a while, and never keep the process alive. */
export function createThreads(options: { workerFile?: string; maxThreads?: number } = {}): Threads {
  const { maxThreads = MAX_THREADS } = options;
  const [file, workerOptions] = workerModule(options.workerFile ?? join(__dirname, 'worker'));
  const threads = new Set<Thread>();
  let idleTimer: NodeJS.Timeout | undefined;

  const closeAll = async (): Promise<void> => {
    clearTimeout(idleTimer);
    const ending = [...threads];
    threads.clear(); // none of them gets another task
    await Promise.all(ending.map(thread => thread.close()));
  };
  const start = (): Thread => {
    const thread = new Thread(file, workerOptions, () => threads.delete(thread));
    threads.add(thread);
    return thread;
  };
  /** The one with the least to do. */
  const pick = (): Thread => {
    const [least] = [...threads].sort((a, b) => a.load - b.load);
    return least === undefined || (least.load >= BUSY && threads.size < maxThreads) ? start() : least;
  };
  const isIdle = (): boolean => [...threads].every(({ load }) => load === 0);
  const closeLater = (): void => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => void (isIdle() && closeAll()), IDLE_TIMEOUT_MS).unref();
  };
  return {
    async run(task) {
      try {
        return await pick().run(task);
      } finally {
        if (isIdle()) closeLater();
      }
    },
    stop(runId) {
      for (const thread of threads) thread.stop(runId);
    },
    close: closeAll,
  };
}

/** The module as built, else its TypeScript source with the loader that tests and scripts of this project run under. */
function workerModule(path: string): [string, WorkerOptions] {
  if (existsSync(`${path}.js`)) return [`${path}.js`, {}];
  return [`${path}.ts`, { execArgv: ['--require', require.resolve('tsx/cjs')] }];
}
