import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { CertDeskError } from '../../lib/model/errors';
import { openRepository, type RepositoryOptions } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { choice, number, text, type Config } from './config';
import { tlsOptions } from './core-nodes';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_RETENTION_DAYS = 365;
const MEMORY = ':memory:';
const POSTGRES_PORT = 5432;

/** A config node of type `certdesk-repository`, as other nodes see it. */
export interface RepositoryNode extends Node<{ username: string; password: string }> {
  certdesk: RepositoryPlace & { baseUrl: string };
}

interface RepositoryPlace {
  options: RepositoryOptions;
  retentionDays: number;
}

interface Shared {
  users: number;
  opened: Promise<Repository>;
  pruning: NodeJS.Timeout;
}

/** One open repository per place, however many nodes use it. */
const shared = new Map<string, Shared>();

/** A node's hold on a repository: `release` it when the node has written its last. */
export interface RepositoryHold {
  opened: Promise<Repository>;
  release(): Promise<void>;
}

/** The repository that a node uses: the one it names, else the default one. Closed when its last user releases it. */
export function useRepository(RED: NodeAPI, node: Node, config: Config): RepositoryHold {
  let place: RepositoryPlace;
  try {
    place = placeOfRepository(RED, config);
  } catch (error) {
    return { opened: told(Promise.reject(error as Error)), release: () => Promise.resolve() };
  }
  const key = keyOf(place.options);
  const entry = shared.get(key) ?? open(place);
  if (key === MEMORY && entry.users === 0) {
    node.warn('Node-RED has no user folder here, so certificates and tickets are kept in memory and lost at the end.');
  }
  entry.users += 1;
  return {
    opened: entry.opened,
    release: async () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      forget(key, entry);
      await entry.opened.then(repository => repository.close()).catch(() => {}); // one that never opened has nothing to close
    },
  };
}

/** A promise whose failure is told by whoever uses it, and is no unhandled rejection until then. */
function told<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Open repositories by `default` or a config node's id, for the admin routes. Null when there is none. */
export function openedRepository(RED: NodeAPI, id: string): Promise<Repository> | null {
  if (id === 'default') return shared.get(keyOf(defaultOptions(RED)))?.opened ?? null;
  const node = RED.nodes.getNode(id) as RepositoryNode | null;
  return node?.certdesk === undefined ? null : (shared.get(keyOf(node.certdesk.options))?.opened ?? null);
}

/** `Scanned by` of the ticket texts: CertDesk and where it runs. */
export function scannedBy(RED: NodeAPI, config: Config): string {
  const node = RED.nodes.getNode(text(config, 'repository')) as RepositoryNode | null;
  return `CertDesk running at ${node?.certdesk?.baseUrl || ownUrl(RED)}`;
}

/** What a repository config node's properties say. Throws CONFIG naming the one that is missing or wrong. */
export function readRepositoryConfig(
  RED: NodeAPI,
  config: Config,
  credentials: Config = {},
): RepositoryNode['certdesk'] {
  return {
    options:
      choice(config, 'kind', ['sqlite', 'postgres']) === 'sqlite'
        ? readSqlite(RED, config)
        : readPostgres(RED, config, credentials),
    retentionDays: number(config, 'retentionDays', DEFAULT_RETENTION_DAYS, { min: 1, max: 36_500 }),
    baseUrl: text(config, 'baseUrl').replace(/\/+$/, ''),
  };
}

function readSqlite(RED: NodeAPI, config: Config): RepositoryOptions {
  const path = text(config, 'path');
  return path === '' ? defaultOptions(RED) : { kind: 'sqlite', path: resolve(RED.settings.userDir ?? '.', path) };
}

function readPostgres(RED: NodeAPI, config: Config, credentials: Config): RepositoryOptions {
  const needed = (values: Config, name: string): string => {
    const value = text(values, name);
    if (value !== '') return value;
    throw new CertDeskError('CONFIG', `${name}: a repository in PostgreSQL needs it. Fill it in and deploy.`);
  };
  const wantsTls = text(config, 'tls') !== '';
  if (wantsTls && RED.nodes.getNode(text(config, 'tls')) === null) {
    throw new CertDeskError('CONFIG', 'tls: that TLS configuration is missing. Choose another and deploy.');
  }
  const password = credentials['password'];
  return {
    kind: 'postgres',
    host: needed(config, 'host'),
    port: number(config, 'port', POSTGRES_PORT, { min: 1, max: 65_535 }),
    database: needed(config, 'database'),
    username: needed(credentials, 'username'),
    password: typeof password === 'string' ? password : '', // may begin and end with spaces
    ...(wantsTls ? { tls: tlsOptions(RED, config) } : {}),
  };
}

/** Who uses the same place shares it. A user of PostgreSQL may have tables of its own in the same database. */
function keyOf(options: RepositoryOptions): string {
  if (options.kind === 'sqlite') return options.path;
  const { host, port, database, username } = options;
  return JSON.stringify([host.toLowerCase(), port, database, username]);
}

function placeOfRepository(RED: NodeAPI, config: Config): RepositoryPlace {
  const id = text(config, 'repository');
  if (id === '') return { options: defaultOptions(RED), retentionDays: DEFAULT_RETENTION_DAYS };
  const node = RED.nodes.getNode(id) as RepositoryNode | null;
  if (node?.certdesk === undefined) {
    throw new CertDeskError(
      'CONFIG',
      'repository: that config node is missing or not ready. Choose another and deploy.',
    );
  }
  return node.certdesk;
}

function defaultOptions(RED: NodeAPI): RepositoryOptions {
  const userDir = RED.settings.userDir;
  return { kind: 'sqlite', path: userDir === undefined ? MEMORY : join(userDir, 'certdesk', 'repository.db') };
}

function open({ options, retentionDays }: RepositoryPlace): Shared {
  const opened = told(openRepository(options));
  const prune = (): void => {
    opened.then(repository => repository.prune(retentionDays, new Date())).catch(() => {}); // told by every use
  };
  prune();
  const entry: Shared = { users: 0, opened, pruning: setInterval(prune, DAY_MS).unref() };
  const key = keyOf(options);
  shared.set(key, entry);
  opened.catch(() => forget(key, entry)); // so that the next deploy tries again
  return entry;
}

function forget(key: string, entry: Shared): void {
  clearInterval(entry.pruning);
  if (shared.get(key) === entry) shared.delete(key);
}

/** Scheme, host name, port and admin root; the address itself where Node-RED listens on one only. */
function ownUrl(RED: NodeAPI): string {
  const settings = RED.settings as { uiHost?: string; uiPort?: number | string; httpAdminRoot?: string | false };
  const { uiHost, uiPort = 1880, httpAdminRoot } = settings;
  const scheme = (RED.settings as { https?: unknown }).https ? 'https' : 'http';
  const root = typeof httpAdminRoot === 'string' ? httpAdminRoot.replace(/\/+$/, '') : '';
  const isEverywhere = uiHost === undefined || uiHost === '' || uiHost === '0.0.0.0' || uiHost === '::';
  const host = isEverywhere ? hostname() : uiHost.includes(':') ? `[${uiHost}]` : uiHost;
  return `${scheme}://${host}:${uiPort}${root}`;
}
