import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { startScan } from '../../lib/scan/pool';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';
import { parseTargets } from '../../lib/scan/targets/parse';
import { createThreads } from '../../lib/scan/threads';
import { answerJob } from '../support/processes';
import { PROFILE_CHANNEL } from './profiled-worker';

export interface ScanJobOrder {
  targets: string[];
  settings: Partial<ScanSettings>;
  /** Scanned before, to warm up; not counted. */
  warmUp?: string[];
  /** How many reports in, each time, the memory is looked at. */
  memoryAt?: number[];
  /** A file for the CPU profile of the worker thread. */
  profile?: string;
}

export interface ScanFigures {
  endpoints: number;
  scanned: number;
  trusted: number;
  connections: number;
  wallMs: number;
  /** User and system time of the whole process, idle taken off. */
  cpuMs: number;
  /** The part of it that the main thread took, NaN where the system does not tell. */
  mainThreadCpuMs: number;
  rssMb: { at: number; rss: number }[];
  peakRssMb: number;
}

/** Scans from a process of its own, as SSL Scan does: one worker thread, whole reports to the main thread. */
answerJob<ScanJobOrder, ScanFigures>(async job => {
  const workerFile = job.profile === undefined ? undefined : join(__dirname, 'profiled-worker');
  const threads = createThreads(workerFile === undefined ? {} : { workerFile });
  const settings = { ...DEFAULT_SCAN_SETTINGS, ...job.settings };
  const figures: ScanFigures = {
    endpoints: job.targets.length,
    scanned: 0,
    trusted: 0,
    connections: 0,
    wallMs: 0,
    cpuMs: 0,
    mainThreadCpuMs: 0,
    rssMb: [],
    peakRssMb: 0,
  };
  const scan = async (targets: string[], isCounted: boolean): Promise<void> => {
    let told = 0;
    const memoryAt = new Set(isCounted ? job.memoryAt : []);
    const running = startScan(
      { runId: randomUUID(), targets: parseTargets(targets), settings, forced: false },
      {
        onEndpoints: () => {},
        onReport: report => {
          told += 1;
          if (memoryAt.has(told)) figures.rssMb.push({ at: told, rss: rssMb() });
          if (!isCounted) return;
          if (report.status === 'scanned') figures.scanned += 1;
          if (report.stages.trust.status === 'ok') figures.trusted += 1;
        },
      },
      { threads },
    );
    const summary = await running.finished;
    if (isCounted) figures.connections = summary.connections;
  };
  if (job.warmUp !== undefined) await scan(job.warmUp, false);
  const idle = await idleCpu(500);
  const sampling = setInterval(() => (figures.peakRssMb = Math.max(figures.peakRssMb, rssMb())), 100);
  const cpu = process.cpuUsage();
  const mainThread = mainThreadCpuMs();
  const from = performance.now();
  await scan(job.targets, true);
  figures.wallMs = performance.now() - from;
  figures.cpuMs = cpuMs(process.cpuUsage(cpu)) - idle * figures.wallMs;
  figures.mainThreadCpuMs = mainThreadCpuMs() - mainThread;
  clearInterval(sampling);
  if (job.profile !== undefined) await askForProfile(job.profile);
  return figures;
});

function rssMb(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** By the Linux scheduler's own account (proc(5)). */
function mainThreadCpuMs(): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return NaN;
  }
}

function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** Milliseconds of CPU time that the process takes in a millisecond of doing nothing. */
async function idleCpu(ms: number): Promise<number> {
  const before = process.cpuUsage();
  const from = performance.now();
  await new Promise(resolve => setTimeout(resolve, ms));
  return cpuMs(process.cpuUsage(before)) / (performance.now() - from);
}

async function askForProfile(file: string): Promise<void> {
  const channel = new BroadcastChannel(PROFILE_CHANNEL);
  const written = new Promise(resolve => (channel.onmessage = resolve));
  channel.postMessage(file);
  await written;
  channel.close();
}
