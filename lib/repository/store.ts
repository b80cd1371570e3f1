import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { CertDeskError } from '../model/errors';
import type { Fault } from './batch';
import type { Schema } from './schema';

/** What one database product does its own way. All else is the same Kysely code for every product. */
export interface Dialect {
  /** For error texts; holds no secret. */
  where: string;
  /** How long a transaction of many small writes should take: in SQLite nobody else has a turn meanwhile. */
  holdMs: number;
  /** Settings, then `migrate` while no other process can change the tables: all of it happens or nothing. */
  prepare(migrate: (db: Kysely<Schema>) => Promise<void>): Promise<void>;
  read<T>(run: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  /**
   * One transaction, on disk when this resolves and not there at all when it rejects. One at a time, across processes.
   * Those that wait at the same time may share one commit: each happens whole or not at all.
   */
  write<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** The same, but it outlasts only a crash of the process. May have happened when it rejects. */
  writeLazily<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
  /** Whether trying again a moment later can help. */
  isBusy(error: unknown): boolean;
  /** Whether it was refused for what was to be written. */
  faultOf(error: unknown): Fault;
  /** What the user can do about it, null where we don't know. */
  explain(error: unknown): string | null;
}

/** How long another process may hold the database, or the server be away, before that is an error. */
const BUSY_LIMIT_MS = 15_000;

/**
 * The database with our errors: everything that fails is a CertDeskError. Waits while another connection writes.
 * Functions given to it await nothing but the database: they hold up everybody else who writes.
 */
export class Store {
  readonly #dialect: Dialect;
  readonly #busyLimitMs: number;
  #isClosed = false;

  constructor(dialect: Dialect, busyLimitMs = BUSY_LIMIT_MS) {
    this.#dialect = dialect;
    this.#busyLimitMs = busyLimitMs;
  }

  get holdMs(): number {
    return this.#dialect.holdMs;
  }

  /** Settings and migrations; called once. */
  prepare(migrate: (db: Kysely<Schema>) => Promise<void>): Promise<void> {
    return this.#try(() => this.#dialect.prepare(migrate));
  }

  read<T>(run: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
    return this.#try(() => this.#dialect.read(run));
  }

  /** One transaction, on disk when this resolves. */
  write<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#try(() => this.#dialect.write(run));
  }

  /**
   * One transaction that a crash of the process does not undo but a power cut may, until the next `write`: no wait
   * for the disk. For what changes nothing when it is written twice.
   */
  writeLazily<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#try(() => this.#dialect.writeLazily(run));
  }

  /** Whose fault a failed write is. What can't be written shows before the database sees it too, as a TypeError. */
  faultOf(error: unknown): Fault {
    const cause = error instanceof CertDeskError ? error.cause : error;
    return cause instanceof TypeError ? 'item' : this.#dialect.faultOf(cause);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#dialect.close();
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  async #try<T>(attempt: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.#busyLimitMs;
    for (;;) {
      if (this.#isClosed) throw new CertDeskError('REPOSITORY', 'The repository is closed. Deploy again to open it.');
      try {
        return await attempt();
      } catch (error) {
        if (!this.#dialect.isBusy(error) || Date.now() > deadline) throw this.#wrap(error);
      }
      // Random, so that several waiting processes don't come back all at once.
      await delay(2 + Math.random() * 18);
    }
  }

  #wrap(error: unknown): CertDeskError {
    return error instanceof CertDeskError
      ? error
      : repositoryError(error, this.#dialect.where, this.#dialect.explain(error));
  }
}

/** A database's own error as one that tells the user what to do next. */
export function repositoryError(error: unknown, where: string, advice: string | null): CertDeskError {
  const text = `Cannot use ${where}: ${advice ?? 'Check the log and the repository settings.'} (${reasonOf(error)})`;
  return new CertDeskError('REPOSITORY', text, { cause: error });
}

/** Of several addresses that all refused Node.js tells a code and no text. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
