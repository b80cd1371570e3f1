import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  DEBIAN_SERVERS,
  type DebianOptions,
  type DebianServerKind,
  type DebianServerName,
} from './debian-tls-commands';
import { closedPort } from './tls-servers';

const SCRIPT = join(__dirname, 'debian-tls.sh');
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const START_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/** A server of the lab in a process of its own. */
export interface DebianServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Installs what of them is missing; null when they are there, else why they can't be. On Debian as root it must work. */
export async function installDebianTls(names: readonly DebianServerName[]): Promise<{ skipped: string } | null> {
  if (!existsSync('/etc/debian_version')) return { skipped: 'TLS servers of Debian: this is not Debian' };
  const packages = [...new Set(names.flatMap(name => DEBIAN_SERVERS[name].packages))];
  const installing = promisify(execFile)('bash', [SCRIPT, ...packages], { timeout: INSTALL_TIMEOUT_MS });
  try {
    await installing;
  } catch (error) {
    if (process.getuid?.() === 0) throw error;
    return { skipped: `TLS servers of Debian: ${packages.join(', ')} can be installed by root only` };
  }
  return null;
}

/** Starts a server on a port of 127.0.0.1 that was free. Throws with what it wrote when it does not come up. */
export async function startDebian(name: DebianServerName, options: DebianOptions): Promise<DebianServer> {
  try {
    return await startOnce(name, options);
  } catch {
    return startOnce(name, options); // another process may have taken the port in between
  }
}

async function startOnce(name: DebianServerName, options: DebianOptions): Promise<DebianServer> {
  const folder = await mkdtemp(join(tmpdir(), 'certdesk-debian-'));
  await chmod(folder, 0o755); // workers under another account
  const port = await closedPort();
  const files = await Promise.all(options.certs.map((pair, index) => writePair(folder, index, pair)));
  const stapleFile = join(folder, 'staple.der');
  if (options.staple !== undefined) await writeFile(stapleFile, options.staple);
  const kind: DebianServerKind = DEBIAN_SERVERS[name];
  const command = await kind.command({ ...options, folder, port, files, stapleFile });
  const env = kind.listensEverywhere ? { ...process.env, LD_PRELOAD: await buildLoopback(folder) } : process.env;
  // it ends with this process, however that ends
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = `${output}${String(chunk)}`.slice(-2000)));
  }
  const close = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  if (await isUp(child, port)) return { host: '127.0.0.1', port, close };
  await close();
  throw new Error(`${command.join(' ')} did not come up: ${output}`);
}

/** A library that turns every address into loopback, loaded before the server's own. */
async function buildLoopback(folder: string): Promise<string> {
  const library = join(folder, 'loopback.so');
  await promisify(execFile)('tcc', ['-shared', '-nostdlib', '-o', library, join(__dirname, 'loopback.c')]);
  return library;
}

async function writePair(
  folder: string,
  index: number,
  { cert, key }: { cert: string; key: string },
): Promise<{ cert: string; key: string; both: string }> {
  const at = (name: string): string => join(folder, `${name}-${index}.pem`);
  const files = { cert: at('cert'), key: at('key'), both: at('both') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key, { mode: 0o600 });
  await writeFile(files.both, `${cert}\n${key}`, { mode: 0o600 });
  return files;
}

async function isUp(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    if (await accepts(port)) return true;
    await wait(LOOK_AGAIN_MS);
  }
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy()).on('error', () => resolve(false));
    socket.on('close', hadError => resolve(!hadError));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
