import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const LOOK_AGAIN_MS = 200;

/** Runs `work` while no other process does under the same path; what a dead process left is cleared away. */
export async function withLock(path: string, timeoutMs: number, work: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await take(path))) {
    if (Date.now() > deadline) throw new Error(`Another process holds ${path}: remove it if none does`);
    await wait(LOOK_AGAIN_MS);
  }
  try {
    await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Made of a folder, since making one succeeds for one process only. */
async function take(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch {
    const owner = Number(await readFile(join(path, 'pid'), 'utf8').catch(() => '0'));
    if (owner !== 0 && !isAlive(owner)) await rm(path, { recursive: true, force: true });
    return false;
  }
  await writeFile(join(path, 'pid'), String(process.pid));
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
