import { ScanRun, type ScanJob, type ScanServices } from './scan-run';
import type { Scan, ScanCallbacks } from './settings';
import { createThreads, type Threads } from './threads';

/** Shared by all scans of the process. */
let shared: Threads | null = null;
const running = new Set<Scan>();

/**
 * Starts a scan in worker threads and returns at once. Callbacks are called in later turns of the event loop; one that
 * throws ends the scan and makes `finished` reject, which nothing else does.
 */
export function startScan(job: ScanJob, callbacks: ScanCallbacks, services?: ScanServices): Scan {
  const scan = new ScanRun(job, callbacks, services ?? { threads: (shared ??= createThreads()) });
  running.add(scan);
  const forget = (): void => void running.delete(scan);
  scan.finished.then(forget, forget);
  return scan;
}

/** Stops every scan, waits for their reports, and ends the threads. A scan started later gets new ones. */
export async function closePool(): Promise<void> {
  const scans = [...running];
  for (const scan of scans) scan.stop();
  await Promise.allSettled(scans.map(scan => scan.finished));
  const threads = shared;
  shared = null;
  await threads?.close();
}
