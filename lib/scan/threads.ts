import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { EndpointReport } from '../model/report';
import { STOP_CHANNEL, type ScanTask } from './task-handler';

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
/** The scan's own limits decide what is under way; a thread takes all of it. */
const TASKS_PER_THREAD = 100_000;

/**
 * Several times what a thread with a thousand endpoints under way has alive. V8 lets a heap with a high limit grow to
 * four times what is alive before it looks, and one with this limit to less than two.
 */
const MAX_HEAP_MB = 512;

/** Threads start when there is work, end when there was none for a while, and never keep the process alive. */
export function createThreads(options: { workerFile?: string; maxThreads?: number } = {}): Threads {
  const pool = new Piscina({
    ...workerModule(options.workerFile ?? join(__dirname, 'worker')),
    minThreads: 0,
    maxThreads: options.maxThreads ?? MAX_THREADS,
    idleTimeout: IDLE_TIMEOUT_MS,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    concurrentTasksPerWorker: TASKS_PER_THREAD,
    // Otherwise a thread without tasks stands still, and sockets just destroyed are closed with its next task only.
    atomics: 'disabled',
  });
  // A thread that fails before it took a task leaves the tasks waiting that it was started for.
  pool.on('error', () => {
    if (pool.threads.length === 0) void pool.destroy();
  });
  return {
    async run(task) {
      const json = (await pool.run(task)) as string | null;
      return json === null ? null : (JSON.parse(json) as EndpointReport);
    },
    stop(runId) {
      const channel = new BroadcastChannel(STOP_CHANNEL);
      channel.postMessage(runId);
      channel.close();
    },
    close: () => pool.destroy(),
  };
}

/** The module as built, else its TypeScript source with the loader that tests and scripts of this project run under. */
function workerModule(path: string): { filename: string; execArgv?: string[] } {
  if (existsSync(`${path}.js`)) return { filename: `${path}.js` };
  return { filename: `${path}.ts`, execArgv: ['--require', require.resolve('tsx/cjs')] };
}
