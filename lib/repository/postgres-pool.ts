import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { PoolClient, PoolConfig } from 'pg';
import { CertDeskError } from '../model/errors';
import { codeOf, isLost } from './postgres-errors';

/** Where a PostgreSQL database is and who asks. */
export interface PostgresAccess {
  /** Name, address, or the folder of the server's socket. */
  host: string;
  port: number;
  database: string;
  username: string;
  password: string;
  /** Asks for TLS and says what to trust; without it there is none. */
  tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'>;
}

type Pg = typeof import('pg');

/** One writes, the others read; a second Node-RED needs as many. */
const MOST_CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 10_000;
/** No answer for so long is no server. Longer than any migration's statement. */
const ANSWER_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_AFTER_MS = 10_000;

/**
 * Connections to a PostgreSQL server. One that is lost says so to who uses it, and to nobody else: without a listener
 * it would end Node-RED. Throws `CONFIG` where the package `pg` is missing.
 */
export function createPool(access: PostgresAccess, load: () => Pg = loadPg): PostgresPool {
  const pool = new (requirePg(load).Pool)(poolConfig(access));
  pool.on('error', () => undefined); // an idle one was lost: the pool has let go of it
  pool.on('connect', client => client.on('error', () => undefined)); // its query rejects with the reason
  return {
    connect: async () => new Session(await pool.connect()),
    end: () => pool.end(),
  };
}

function loadPg(): Pg {
  return require('pg') as Pg;
}

function requirePg(load: () => Pg): Pg {
  try {
    return load();
  } catch (error) {
    throw new CertDeskError(
      'CONFIG',
      'A repository in PostgreSQL needs the package pg, which is not installed. ' +
        'Run "npm install pg@8" in the user folder of Node-RED and start Node-RED again.',
      { cause: error },
    );
  }
}

function poolConfig({ host, port, database, username, password, tls }: PostgresAccess): PoolConfig {
  return {
    ...{ host, port, database, user: username, password, application_name: 'certdesk' },
    ssl: tls === undefined ? false : { ...tls, ...identityCheck(tls.servername) },
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  };
}

/** pg takes the host's name for the one in the certificate, whatever `servername` says. */
function identityCheck(servername: string | undefined): Pick<ConnectionOptions, 'checkServerIdentity'> {
  return servername
    ? { checkServerIdentity: (_host, certificate) => checkServerIdentity(servername, certificate) }
    : {};
}

/** What a statement is told after another one failed in the same transaction. */
const ABORTED = '25P02';

/**
 * A connection while it is used. Once lost it is asked nothing more: the answer would be waited for in vain. Of a
 * transaction that failed it tells the reason, not only that it failed.
 */
class Session implements PostgresPoolClient {
  #lost: Error | null = null;
  #reason: unknown = null;

  constructor(private readonly client: PoolClient) {}

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query(cursor: never): never;
  async query<R>(sql: string, parameters: readonly unknown[] = []): Promise<PostgresQueryResult<R>> {
    if (this.#lost !== null) throw this.#lost;
    try {
      return (await this.client.query(sql, [...parameters])) as unknown as PostgresQueryResult<R>;
    } catch (error) {
      if (isLost(error) && error instanceof Error) this.#lost = error;
      if (codeOf(error) !== ABORTED) this.#reason = error;
      throw this.#reason ?? error;
    }
  }

  release(destroy = false): void {
    this.client.release(destroy || this.#lost !== null);
  }
}
