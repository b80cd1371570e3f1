import type { Endpoint } from '../model/endpoint';
import type { EndpointReport } from '../model/report';
import type { ScanSettings } from './settings';

/** One endpoint to look at, as it travels to a worker thread. */
export interface ScanTask {
  runId: string;
  endpoint: Endpoint;
  /** Connections that it may hold at once. */
  connections: number;
  settings: ScanSettings;
  /** Shared memory; not 0 once the run was stopped, so that a task which arrives after the call to stop knows. */
  stopped: Int32Array;
}

/** How a worker looks at an endpoint; `signal` asks it to give up at once. */
export type ScanEndpoint = (
  endpoint: Endpoint,
  settings: ScanSettings,
  context: { runId: string; connections: number; signal: AbortSignal },
) => Promise<EndpointReport>;

/** What a worker thread does. */
export interface TaskHandler {
  /** An EndpointReport; null when the run was stopped before the task came. */
  run(task: ScanTask): Promise<EndpointReport | null>;
  /** Ends everything that is under way for a run; it means nothing to a thread without it. */
  stop(runId: string): void;
}

interface Run {
  /** Those of the run's first task: one object, so that what was made of it can be kept per object. */
  settings: ScanSettings;
  stops: Set<AbortController>;
}

export function makeTaskHandler(scan: ScanEndpoint): TaskHandler {
  const runs = new Map<string, Run>();
  return {
    stop(runId) {
      for (const stop of runs.get(runId)?.stops ?? []) stop.abort();
    },
    async run({ runId, endpoint, connections, settings, stopped }) {
      if (Atomics.load(stopped, 0) !== 0) return null;
      const run: Run = runs.get(runId) ?? { settings, stops: new Set() };
      runs.set(runId, run);
      // One per endpoint: a signal with hundreds of listeners is slow to add to and to remove from.
      const stop = new AbortController();
      run.stops.add(stop);
      try {
        return await scan(endpoint, run.settings, { runId, connections, signal: stop.signal });
      } finally {
        run.stops.delete(stop);
        if (run.stops.size === 0) runs.delete(runId);
      }
    },
  };
}
