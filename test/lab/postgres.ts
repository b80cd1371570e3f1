import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { closedPort } from './tls-servers';

const INSTALLER = join(__dirname, 'debian-tls.sh');
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const COMMAND_TIMEOUT_MS = 60_000;
/** PostgreSQL refuses to run as root, so there it runs as nobody. */
const NOBODY = 65534;
const HOST = '127.0.0.1';

export interface PostgresAccess {
  host: string;
  port: number;
  database: string;
  username: string;
  password: string;
}

export interface PostgresOptions {
  /** Lines of postgresql.conf. */
  settings?: readonly string[];
  /** For TLS, which the server offers then. */
  tls?: { cert: string; key: string };
  /** How everybody but the superuser may come in; lines of pg_hba.conf. */
  access?: readonly string[];
}

/**
 * A real PostgreSQL of Debian's package on a free port of 127.0.0.1, with a folder of its own. It ends with this process,
 * however that ends: a keeper waits for the end of its standard input.
 */
export class Postgres {
  readonly host = HOST;
  private databases = 0;
  private readonly free: PostgresAccess[] = [];

  private constructor(
    private readonly programs: string,
    private readonly folder: string,
    private readonly secret: string,
    readonly port: number,
    private readonly keeper: ChildProcess,
  ) {}

  /** Starts one; says why it can't be had where it is not installed and can't be. */
  static async start(options: PostgresOptions = {}): Promise<Postgres | { skipped: string }> {
    const programs = await findPrograms();
    if (typeof programs !== 'string') return programs;
    try {
      return await Postgres.startOnce(programs, options);
    } catch {
      return Postgres.startOnce(programs, options); // another process may have taken the port in between
    }
  }

  private static async startOnce(programs: string, options: PostgresOptions): Promise<Postgres> {
    const folder = await mkdtemp(join(tmpdir(), 'certdesk-postgres-'));
    await giveAway(folder);
    const secret = randomBytes(12).toString('hex');
    const keeper = spawn('sh', ['-c', KEEPER, programs, folder], {
      ...asNobody(),
      ...{ stdio: ['pipe', 'ignore', 'ignore'], detached: true },
    });
    keeper.unref();
    (keeper.stdin as Socket | null)?.unref();
    const postgres = new Postgres(programs, folder, secret, await closedPort(), keeper);
    try {
      await postgres.initialise(options);
    } catch (error) {
      await postgres.close();
      throw error;
    }
    return postgres;
  }

  /** Brings the server up; also after `stop`, on the same port and folder. */
  async resume(): Promise<void> {
    await this.run('pg_ctl', ['-D', this.data, '-w', '-t', '50', '-l', join(this.folder, 'log'), 'start']);
  }

  /** `fast` ends sessions in order, `immediate` is as a crash. */
  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.run('pg_ctl', ['-D', this.data, '-w', '-m', mode, 'stop']);
  }

  /** Ends it and removes its folder. */
  async close(): Promise<void> {
    if (this.keeper.exitCode !== null || this.keeper.signalCode !== null) return;
    const ended = once(this.keeper, 'exit');
    this.keeper.ref();
    this.keeper.stdin?.end();
    await ended;
  }

  /**
   * An empty database that its user owns. Its order of text is English, unlike that of bytes, so that it shows where
   * something depends on it.
   */
  async takeDatabase(): Promise<PostgresAccess> {
    const free = this.free.pop();
    if (free !== undefined) return free;
    const name = `certdesk_${(this.databases += 1)}`;
    const password = randomBytes(12).toString('hex');
    await this.admin(`create role ${name} login password '${password}'`);
    await this.admin(
      `create database ${name} owner ${name} template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US'`,
    );
    return { host: HOST, port: this.port, database: name, username: name, password };
  }

  /** Ends its sessions and empties it for the next: a tenth of the time of dropping and making one. */
  async giveBack(access: PostgresAccess): Promise<void> {
    const { database } = access;
    await this.admin(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${database}' and pid <> pg_backend_pid();
       drop schema public cascade; create schema public authorization pg_database_owner`,
      database,
    );
    this.free.push(access);
  }

  /** Runs SQL as the superuser. */
  async admin(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new Client({ host: HOST, port: this.port, user: 'postgres', password: this.secret, database });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async initialise({ settings = [], tls, access = DEFAULT_ACCESS }: PostgresOptions): Promise<void> {
    const at = (name: string): string => join(this.folder, name);
    const write = async (path: string, text: string): Promise<void> => {
      await writeFile(path, text, { mode: 0o600 });
      await giveAway(path);
    };
    await write(at('password'), this.secret);
    await this.run('initdb', [
      ...['-D', this.data, '-U', 'postgres', '--pwfile', at('password'), '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync'],
    ]);
    if (tls !== undefined) {
      await write(at('server.crt'), tls.cert);
      await write(at('server.key'), tls.key);
    }
    const lines = [
      ...[`listen_addresses = '${HOST}'`, `port = ${this.port}`, "unix_socket_directories = ''"],
      ...['shared_buffers = 32MB', 'max_connections = 60', 'log_timezone = UTC', 'timezone = UTC'],
      ...(tls === undefined
        ? []
        : ['ssl = on', `ssl_cert_file = '${at('server.crt')}'`, `ssl_key_file = '${at('server.key')}'`]),
      ...settings,
    ];
    await write(join(this.data, 'postgresql.conf'), `${lines.join('\n')}\n`);
    const hba = [`host all postgres ${HOST}/32 scram-sha-256`, ...access];
    await write(join(this.data, 'pg_hba.conf'), `${hba.join('\n')}\n`);
    await this.resume();
  }

  private async run(program: string, args: string[]): Promise<void> {
    const options = { ...asNobody(), cwd: this.folder, timeout: COMMAND_TIMEOUT_MS };
    const child = spawn(join(this.programs, program), args, { ...options, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
  }
}

const DEFAULT_ACCESS = [`host all all ${HOST}/32 scram-sha-256`];
const KEEPER = 'read _; "$0/pg_ctl" -D "$1/data" -w -m immediate stop; rm -rf "$1"';

let shared: Promise<Postgres | { skipped: string }> | undefined;

/** The one that all tests of this process share, a database each. It does not wait for the disk. */
export function sharedPostgres(): Promise<Postgres | { skipped: string }> {
  return (shared ??= Postgres.start({ settings: ['fsync = off', 'full_page_writes = off'] }));
}

function asNobody(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

async function giveAway(path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await chown(path, NOBODY, NOBODY);
}

/** Where the server's programs are, installed when they are missing. */
async function findPrograms(): Promise<string | { skipped: string }> {
  const found = await installed();
  if (found !== null) return found;
  if (!existsSync('/etc/debian_version')) return { skipped: 'PostgreSQL is installed from Debian, which this is not' };
  if (process.getuid?.() !== 0) return { skipped: 'PostgreSQL can be installed by root only' };
  await promisify(execFile)('bash', [INSTALLER, 'postgresql'], { timeout: INSTALL_TIMEOUT_MS });
  const now = await installed();
  if (now === null) throw new Error("Debian's package postgresql is installed and its programs are not there");
  return now;
}

async function installed(): Promise<string | null> {
  const root = '/usr/lib/postgresql';
  const versions = await readdir(root).catch(() => []);
  const bins = versions.sort((a, b) => Number(b) - Number(a)).map(version => join(root, version, 'bin'));
  return bins.find(bin => existsSync(join(bin, 'postgres')) && existsSync(join(bin, 'initdb'))) ?? null;
}
