import { readFileSync } from 'node:fs';

/** What a stretch of work took. */
export interface Spent {
  wallMs: number;
  /** User and system time of all threads of this process, what it takes when idle left out. */
  cpuMs: number;
  /** The part of it that the main thread took; NaN where the system does not tell. */
  mainThreadCpuMs: number;
}

const IDLE_MS = 500;

/** Measures idle for a moment, then `work`. */
export async function measureCpu(work: () => Promise<void>): Promise<Spent> {
  const idle = startMeter();
  await new Promise(resolve => setTimeout(resolve, IDLE_MS));
  const { cpuMs, wallMs } = idle();
  const busy = startMeter();
  await work();
  const spent = busy();
  return { ...spent, cpuMs: spent.cpuMs - (cpuMs / wallMs) * spent.wallMs };
}

function startMeter(): () => Spent {
  const cpu = process.cpuUsage();
  const mainThread = mainThreadMs();
  const from = performance.now();
  return () => {
    const wallMs = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000, mainThreadCpuMs: mainThreadMs() - mainThread };
  };
}

/** By the Linux scheduler's own account (proc_pid_schedstat). */
function mainThreadMs(): number {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return NaN;
  }
}
