import { execFileSync, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const started = new Set<ChildProcess>();
const folders = new Set<string>();

/** Whatever happens, nothing that was started or written stays. */
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

/** Ends the bench, however far it came, so that it never hangs. */
export function limitTime(minutes: number): void {
  setTimeout(() => {
    console.error(`The bench took more than ${minutes} minutes and was ended.`);
    process.exit(1);
  }, minutes * 60_000).unref();
}

/** A folder that is gone when the bench ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'certdesk-bench-'));
  folders.add(folder);
  return folder;
}

/** The full path of a program, null when this machine has none of that name. */
export function findProgram(name: string): string | null {
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** What client and server are kept apart with: `client` and `server` are cores of this machine. */
export type Core = 'client' | 'server' | 'any';
const CORES: Record<Exclude<Core, 'any'>, string> = { client: '0', server: '1' };

export interface StartOptions {
  core?: Core;
  stdio?: StdioOptions;
}

/** Starts a program, kept to one core where taskset is there; it is killed when the bench ends. */
export function start(command: string, args: readonly string[], options: StartOptions = {}): ChildProcess {
  const { core = 'any', stdio = ['ignore', 'ignore', 'pipe'] } = options;
  const isPinned = core !== 'any' && findProgram('taskset') !== null;
  const [program, ...rest] = isPinned ? ['taskset', '-c', CORES[core], command, ...args] : [command, ...args];
  const child = spawn(program ?? command, rest, { stdio });
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

/** Ends a process that `start` started, and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await exited;
  clearTimeout(timer);
}

/** Runs a program to its end. `wallMs`, `cpuMs` (user and system, with all that it started). */
export async function run(
  command: string,
  args: readonly string[],
  options: { core?: Core; timeoutMs?: number } = {},
): Promise<{ output: string; wallMs: number; cpuMs: number }> {
  const { core = 'any', timeoutMs = 120_000 } = options;
  const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const child = start('bash', ['-c', script, 'bash', command, ...args], { core, stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  let output = '';
  let errors = '';
  child.stdout?.on('data', chunk => (output += String(chunk)));
  child.stderr?.on('data', chunk => (errors += String(chunk)));
  await once(child, 'close');
  clearTimeout(timer);
  const [wall = NaN, user = NaN, system = NaN] = (errors.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { output, wallMs: wall * 1000, cpuMs: (user + system) * 1000 };
}

/** Runs a module of this bench in a process of its own: it gets `job` and answers with one message. */
export async function runModule<Job, Answer>(file: string, job: Job, core: Core): Promise<Answer> {
  const child = start(process.execPath, [file], { core, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const answer = once(child, 'message') as Promise<[Answer]>;
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended without an answer`)));
  child.send(job as object);
  try {
    return (await Promise.race([answer, ended]))[0];
  } finally {
    ended.catch(() => {});
    await end(child);
  }
}

/** The other side of `runModule`. */
export function answerJob<Job, Answer>(work: (job: Job) => Promise<Answer>): void {
  process.once('message', job => {
    work(job as Job).then(
      answer => process.send?.(answer as object),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit());
}
