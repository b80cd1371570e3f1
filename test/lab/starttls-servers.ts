import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  ACCOUNT,
  STARTTLS_SERVERS,
  type Place,
  type StarttlsServer,
  type StarttlsServerName,
} from './starttls-servers-commands';
import { closedPort } from './tls-servers';

export { STARTTLS_SERVERS, type StarttlsServerName } from './starttls-servers-commands';

const UNPACK = join(__dirname, 'starttls-servers.sh');
const INSTALL = join(__dirname, 'debian-tls.sh');
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 20;

/** A real server that speaks in the clear first, on 127.0.0.1. */
export interface RunningServer {
  /** The port of one of its protocols. */
  port(protocol: string): number;
  close(): Promise<void>;
}

/**
 * Gets `name` from Debian where it is not there yet: the folder with what was unpacked, '' for one that is installed.
 * Skipped only where it can't be: not on Debian, not as root. `mayInstall`: a server that can't be unpacked may be
 * installed for good, which takes a minute and more.
 */
export async function getStarttlsServer(
  name: StarttlsServerName,
  { mayInstall }: { mayInstall: boolean },
): Promise<{ root: string } | { skipped: string }> {
  if (!existsSync('/etc/debian_version')) return { skipped: `${name}: comes from Debian, which this is not` };
  if (process.getuid?.() !== 0) return { skipped: `${name}: can be unpacked and started by root only` };
  const { packages, how } = STARTTLS_SERVERS[name];
  if (how === 'unpacked') return { root: (await run(UNPACK, packages)).trim() };
  if (!(await areInstalled(packages))) {
    if (!mayInstall) return { skipped: `${name}: not installed, and installed only with CERTDESK_LONG=1` };
    await run(INSTALL, packages);
  }
  return { root: '' };
}

/** Starts it with this certificate (PEM) on ports that were free. Throws with what it wrote when it does not come up. */
export async function startStarttlsServer(
  name: StarttlsServerName,
  root: string,
  pair: { cert: string; key: string },
): Promise<RunningServer> {
  try {
    return await startOnce(STARTTLS_SERVERS[name], root, pair);
  } catch {
    return startOnce(STARTTLS_SERVERS[name], root, pair); // another process may have taken a port in between
  }
}

async function startOnce(
  server: StarttlsServer,
  root: string,
  pair: { cert: string; key: string },
): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'certdesk-starttls-'));
  await chmod(folder, 0o755); // for accounts that are not root
  const ports: number[] = [];
  for (const _ of server.protocols) ports.push(await closedPort());
  const place: Place = { folder, root, ports, cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await writeFile(place.cert, pair.cert);
  await writeFile(place.key, pair.key, { mode: 0o600 });
  await chown(place.key, ACCOUNT.uid, ACCOUNT.gid);
  const { argv, env } = await server.prepare(place);
  // a group of its own, which ends with this process
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...argv], {
    cwd: folder,
    detached: true,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = `${output}${String(chunk)}`.slice(-3000)));
  }
  const close = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  if (await areUp(child, ports)) {
    return { port: protocol => ports[server.protocols.indexOf(protocol)] ?? 0, close };
  }
  await close();
  throw new Error(`${argv.join(' ')} did not come up: ${output}`);
}

async function areUp(child: ChildProcess, ports: readonly number[]): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (const port of ports) {
    while (!(await accepts(port))) {
      if (hasEnded(child) || Date.now() > deadline) return false;
      await wait(LOOK_AGAIN_MS);
    }
  }
  return !hasEnded(child);
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** By the number of its group, which is its own: workers end with it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const exit = hasEnded(child) ? Promise.resolve() : once(child, 'exit');
  signal(child.pid, 'SIGTERM');
  await Promise.race([exit, wait(END_TIMEOUT_MS, undefined, { ref: false })]);
  signal(child.pid, 'SIGKILL');
  await exit;
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch {
    // nobody of it is left
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function areInstalled(packages: readonly string[]): Promise<boolean> {
  const query = promisify(execFile)('dpkg-query', ['-W', '-f=${db:Status-Status}\n', ...packages]);
  const { stdout } = await query.catch(() => ({ stdout: '' }));
  return (
    stdout
      .trim()
      .split('\n')
      .filter(status => status === 'installed').length === packages.length
  );
}

async function run(script: string, packages: readonly string[]): Promise<string> {
  return (await promisify(execFile)('bash', [script, ...packages], { timeout: INSTALL_TIMEOUT_MS })).stdout;
}
