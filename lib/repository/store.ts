import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { CertDeskError } from '../model/errors';
import type { Schema } from './schema';

/** What one database product does its own way. All else is the same Kysely code for every product. */
export interface Dialect {
  db: Kysely<Schema>;
  /** For error texts; holds no secret. */
  where: string;
  /** Settings of a new connection, before anything else is asked. */
  prepare(): void | Promise<void>;
  /**
   * One transaction, on disk when this resolves. Those that wait at the same time may share one commit: each happens
   * whole or not at all.
   */
  write<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** Whether the next transactions must outlast a power cut, or only a crash of the process. */
  setDurable(isDurable: boolean): void;
  /** Runs one piece of work when its turn comes. */
  turn<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work` on `db` while no other process can change the tables: all of it happens or nothing. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Whether trying again a moment later can help. */
  isBusy(error: unknown): boolean;
  /** What the user can do about it, null where we don't know. */
  explain(error: unknown): string | null;
}

/** How long another process may hold the database before that is an error. */
const BUSY_LIMIT_MS = 15_000;

/**
 * The database with our errors: everything that fails is a CertDeskError. Waits while another connection writes.
 * Functions given to it await nothing but the database: they hold its only connection meanwhile.
 */
export class Store {
  readonly #dialect: Dialect;
  readonly #busyLimitMs: number;
  #isClosed = false;

  constructor(dialect: Dialect, busyLimitMs = BUSY_LIMIT_MS) {
    this.#dialect = dialect;
    this.#busyLimitMs = busyLimitMs;
  }

  read<T>(run: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
    return this.#inTurn(() => run(this.#dialect.db));
  }

  /** Settings and migrations; called once. */
  async prepare(migrate: (db: Kysely<Schema>) => Promise<void>): Promise<void> {
    await this.#inTurn(async () => this.#dialect.prepare());
    await this.#inTurn(() => this.#dialect.exclusively(() => migrate(this.#dialect.db)));
  }

  /** One transaction, on disk when this resolves. */
  write<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#try(() => this.#dialect.write(run));
  }

  /**
   * One transaction that a crash of the process does not undo but a power cut may, until the next `write`: no wait
   * for the disk, which would hold up the event loop.
   */
  writeLazily<T>(run: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#inTurn(() =>
      this.#dialect.db.connection().execute(async connection => {
        this.#dialect.setDurable(false);
        try {
          return await connection.transaction().execute(run);
        } finally {
          this.#dialect.setDurable(true);
        }
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#dialect.db.destroy();
    } catch (error) {
      throw this.#wrap(error);
    }
  }

  #inTurn<T>(attempt: () => Promise<T>): Promise<T> {
    return this.#try(() => this.#dialect.turn(attempt));
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
  const reason = error instanceof Error ? error.message : String(error);
  const text = `Cannot use ${where}: ${advice ?? 'Check the log and the repository settings.'} (${reason})`;
  return new CertDeskError('REPOSITORY', text, { cause: error });
}
