import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { CertDeskError } from '../../lib/model/errors';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { number, text, type Config } from './config';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_RETENTION_DAYS = 365;
const MEMORY = ':memory:';

/** A config node of type `certdesk-repository`, as other nodes see it. */
export interface RepositoryNode extends Node<{ username: string; password: string }> {
  certdesk: RepositoryPlace & { baseUrl: string };
}

interface RepositoryPlace {
  path: string;
  retentionDays: number;
}

interface Shared {
  users: number;
  opened: Promise<Repository>;
  pruning: NodeJS.Timeout;
}

/** One open repository per file, however many nodes use it. */
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
  const entry = shared.get(place.path) ?? open(place);
  if (place.path === MEMORY && entry.users === 0) {
    node.warn('Node-RED has no user folder here, so certificates and tickets are kept in memory and lost at the end.');
  }
  entry.users += 1;
  return {
    opened: entry.opened,
    release: async () => {
      entry.users -= 1;
      if (entry.users > 0) return;
      forget(place.path, entry);
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
  if (id === 'default') return shared.get(defaultPath(RED))?.opened ?? null;
  const node = RED.nodes.getNode(id) as RepositoryNode | null;
  return node?.certdesk === undefined ? null : (shared.get(node.certdesk.path)?.opened ?? null);
}

/** `Scanned by` of the ticket texts: CertDesk and where it runs. */
export function scannedBy(RED: NodeAPI, config: Config): string {
  const node = RED.nodes.getNode(text(config, 'repository')) as RepositoryNode | null;
  return `CertDesk running at ${node?.certdesk?.baseUrl || ownUrl(RED)}`;
}

/** What a repository config node's properties say. */
export function readRepositoryConfig(RED: NodeAPI, config: Config): RepositoryNode['certdesk'] {
  if (text(config, 'kind', 'sqlite') !== 'sqlite') {
    throw new CertDeskError('CONFIG', 'kind: PostgreSQL comes with a later version. Choose SQLite.');
  }
  const path = text(config, 'path');
  return {
    path: path === '' ? defaultPath(RED) : resolve(RED.settings.userDir ?? '.', path),
    retentionDays: number(config, 'retentionDays', DEFAULT_RETENTION_DAYS, { min: 1, max: 36_500 }),
    baseUrl: text(config, 'baseUrl').replace(/\/+$/, ''),
  };
}

function placeOfRepository(RED: NodeAPI, config: Config): RepositoryPlace {
  const id = text(config, 'repository');
  if (id === '') return { path: defaultPath(RED), retentionDays: DEFAULT_RETENTION_DAYS };
  const node = RED.nodes.getNode(id) as RepositoryNode | null;
  if (node?.certdesk === undefined) {
    throw new CertDeskError(
      'CONFIG',
      'repository: that config node is missing or not ready. Choose another and deploy.',
    );
  }
  return node.certdesk;
}

function defaultPath(RED: NodeAPI): string {
  const userDir = RED.settings.userDir;
  return userDir === undefined ? MEMORY : join(userDir, 'certdesk', 'repository.db');
}

function open({ path, retentionDays }: RepositoryPlace): Shared {
  const opened = told(openRepository({ kind: 'sqlite', path }));
  const prune = (): void => {
    opened.then(repository => repository.prune(retentionDays, new Date())).catch(() => {}); // told by every use
  };
  prune();
  const entry: Shared = { users: 0, opened, pruning: setInterval(prune, DAY_MS).unref() };
  shared.set(path, entry);
  opened.catch(() => forget(path, entry)); // so that the next deploy tries again
  return entry;
}

function forget(path: string, entry: Shared): void {
  clearInterval(entry.pruning);
  if (shared.get(path) === entry) shared.delete(path);
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
