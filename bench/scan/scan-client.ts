import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { startScan } from '../../lib/scan/pool';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';
import { parseTargets } from '../../lib/scan/targets/parse';
import { createThreads } from '../../lib/scan/threads';
import { measureCpu, type Spent } from '../support/cpu';
import { answerJob } from '../support/processes';
import { targetLines, type EndpointSpec } from '../support/targets';
import { PROFILE_CHANNEL } from './profiled-worker';

export interface ScanJobOrder {
  endpoints: EndpointSpec;
  settings: Partial<ScanSettings>;
  /** How many of them are scanned once before, to warm up; not counted. */
  warmUp: number;
  /** How many reports in, each time, the memory is looked at. */
  memoryAt?: number[];
  /** A file for the CPU profile of the worker thread. */
  profile?: string;
}

export interface ScanFigures extends Spent {
  endpoints: number;
  scanned: number;
  trusted: number;
  connections: number;
  rssMb: { at: number; rss: number }[];
  peakRssMb: number;
}

/** Scans from a process of its own, as SSL Scan does: one worker thread, whole reports to the main thread. */
answerJob<ScanJobOrder, ScanFigures>(async ({ endpoints, settings, warmUp, memoryAt = [], profile }) => {
  const threads = createThreads(profile === undefined ? {} : { workerFile: join(__dirname, 'profiled-worker') });
  const seen = { scanned: 0, trusted: 0, connections: 0 };
  const rss = [{ at: 0, rss: rssMb() }];
  const scan = async (count: number): Promise<void> => {
    Object.assign(seen, { scanned: 0, trusted: 0 });
    let told = 0;
    const running = startScan(
      {
        runId: randomUUID(),
        targets: parseTargets(targetLines({ ...endpoints, count })),
        settings: { ...DEFAULT_SCAN_SETTINGS, ...settings },
        forced: false,
      },
      {
        onPlace: () => {},
        onReport: report => {
          told += 1;
          if (memoryAt.includes(told)) rss.push({ at: told, rss: rssMb() });
          if (report.status === 'scanned') seen.scanned += 1;
          if (report.stages.trust.status === 'ok') seen.trusted += 1;
        },
      },
      { threads },
    );
    seen.connections = (await running.finished).connections;
  };
  if (warmUp > 0) await scan(warmUp);
  let peakRssMb = 0;
  const sampling = setInterval(() => (peakRssMb = Math.max(peakRssMb, rssMb())), 100);
  const spent = await measureCpu(() => scan(endpoints.count));
  clearInterval(sampling);
  if (profile !== undefined) await askForProfile(profile);
  return { ...spent, ...seen, endpoints: endpoints.count, rssMb: rss, peakRssMb };
});

function rssMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

async function askForProfile(file: string): Promise<void> {
  const channel = new BroadcastChannel(PROFILE_CHANNEL);
  const written = new Promise(resolve => (channel.onmessage = resolve));
  channel.postMessage(file);
  await written;
  channel.close();
}
