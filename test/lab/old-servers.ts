import { execFile, spawn } from 'node:child_process';
import { createHash, createPrivateKey } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lab-lock';
import { talkingServer, type TalkingServer } from './talking-server';

export type { TalkingServer as OldServer } from './talking-server';

const run = promisify(execFile);
const SOURCE = join(__dirname, 'old-servers');
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** Which of the releases: those of `npm test` (about 30 MB to download), or all (about 300 MB). */
export type OldSet = 'small' | 'all';

/** Options of that release's tls.createServer that are plain values, and how to start it. */
export interface OldServerOptions {
  cert: string | string[];
  /** PEM; given to the server in the form that OpenSSL before 1.0 reads too (PKCS #1, SEC 1). */
  key: string | string[];
  /** Options of the executable: `--enable-ssl2`. */
  flags?: readonly string[];
  ciphers?: string;
  /** PEM of Diffie-Hellman parameters. */
  dhparam?: string;
  /** `SSLv3_method`, … */
  secureProtocol?: string;
  /** Versions taken out by SSL_OP_NO_…: `TLSv1_1`. */
  without?: readonly string[];
  minVersion?: string;
  ecdhCurve?: string;
  honorCipherOrder?: boolean;
}

/**
 * The executables, by version; installed from npm the first time, without any script of a package being run, into a
 * folder that later runs use again. `skipped` says why there are none.
 */
export async function installOldServers(set: OldSet): Promise<Installed | { skipped: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { skipped: 'old TLS servers: their executables are for Linux on x64' };
  }
  const lock = await readFile(join(SOURCE, 'package-lock.json'));
  const lab = join(process.env['CERTDESK_LAB'] ?? join(tmpdir(), 'certdesk-lab'), 'old-servers');
  const folder = join(lab, `${set}-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  const done = join(folder, 'complete');
  if (!existsSync(done)) {
    await mkdir(lab, { recursive: true });
    try {
      await withLock(`${folder}.lock`, INSTALL_TIMEOUT_MS, async () => {
        if (existsSync(done)) return;
        await install(folder, set);
        await writeFile(done, '');
      });
    } catch (error) {
      return { skipped: `old TLS servers: npm could not install them (${firstLine(error)})` };
    }
  }
  return new Installed(folder);
}

/** Old releases that are there. */
export class Installed {
  constructor(private readonly folder: string) {}

  /** Starts `version` on a free port of 127.0.0.1. Throws with what it wrote when it does not come up. */
  async start(version: string, { flags = [], ...options }: OldServerOptions): Promise<TalkingServer> {
    const temporary = await mkdtemp(join(tmpdir(), 'certdesk-old-'));
    const file = join(temporary, 'options.json');
    // the oldest releases take no array
    const key = typeof options.key === 'string' ? oldForm(options.key) : options.key.map(oldForm);
    await writeFile(file, JSON.stringify({ ...options, key }), { mode: 0o600 });
    const command = executable(join(this.folder, 'node_modules', `node-${version}`));
    const child = spawn(command, [...flags, join(SOURCE, 'server.js'), file]);
    return talkingServer(child, `Node.js ${version}`, () => rm(temporary, { recursive: true, force: true }));
  }
}

async function install(folder: string, set: OldSet): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(SOURCE, name), join(folder, name));
  const rest = set === 'small' ? ['--omit=optional'] : [];
  const flags = ['--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund', ...rest];
  // a run of npm hands its settings to what it starts
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle)/i.test(name)),
  );
  await run('npm', ['ci', ...flags], { cwd: folder, env, timeout: INSTALL_TIMEOUT_MS });
  for (const name of readdirSync(join(folder, 'node_modules'))) await unpack(join(folder, 'node_modules', name), name);
}

/** Some packages hold the release's tar file, which a script of theirs would unpack; 0.10.20 holds those of others too. */
async function unpack(folder: string, name: string): Promise<void> {
  if (!name.startsWith('node-')) return;
  const version = name.slice('node-'.length);
  const files = readdirSync(folder);
  const archive = files.find(file => file.startsWith(`node-v${version}-`) && file.endsWith('.tar.gz'));
  if (archive === undefined) return;
  await run('tar', ['-xzf', archive], { cwd: folder });
  await Promise.all(files.filter(file => file.endsWith('.tar.gz')).map(file => rm(join(folder, file))));
}

function executable(folder: string): string {
  const inside = readdirSync(folder).filter(name => name.startsWith('node-v'));
  const found = ['.', ...inside].map(name => join(folder, name, 'bin/node')).find(path => existsSync(path));
  if (found === undefined) throw new Error(`No executable in ${folder}: remove the folder above it and try again`);
  return found;
}

function oldForm(pem: string): string {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }).toString();
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}

function firstLine(error: unknown): string {
  const { stderr = '', message } = error as { stderr?: string; message: string };
  return (stderr.trim() || message).split('\n').slice(0, 2).join(' ');
}
