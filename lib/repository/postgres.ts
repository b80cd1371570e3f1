import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Kysely,
  PostgresDialect,
  PostgresDriver,
  sql,
  type DatabaseConnection,
  type PostgresDialectConfig,
  type Transaction,
} from 'kysely';
import { CertDeskError } from '../model/errors';
import { GroupCommit } from './group-commit';
import { createPool, type PostgresAccess } from './postgres-pool';
import { explain, faultOf, isBusy, isLost } from './postgres-errors';
import type { Schema } from './schema';
import type { Dialect } from './store';
import { Turns } from './turns';

/** How long a transaction may take in more writes. They wait for the server, so others have their turn meanwhile. */
const HOLD_MS = 50;
/** How long it is tried to learn whether a commit whose answer was lost has happened. */
const SETTLE_LIMIT_MS = 60_000;

/** The PostgreSQL dialect. Connects with the first question. Throws `CONFIG` where the package `pg` is missing. */
export function openPostgres(access: PostgresAccess): Dialect {
  const { host, port, database } = access;
  const db = new Kysely<Schema>({ dialect: new CarefulDialect({ pool: createPool(access) }) });
  const writer = new Writer(db);
  return {
    where: `the PostgreSQL database ${database} at ${host}:${port}`,
    holdMs: HOLD_MS,
    prepare: migrate => writer.prepare(migrate),
    read: run => run(db),
    write: run => writer.write(run),
    writeLazily: run => writer.writeLazily(run),
    close: () => writer.close(),
    isBusy,
    faultOf,
    explain,
  };
}

/**
 * Writes as SQLite does: one transaction at a time, whatever process it is of. A lock that every writer takes first does
 * what levels of isolation would do by failing and trying again; there are no deadlocks, and claims, counters and
 * pruning are safe as they are. Reading waits for nobody.
 */
class Writer {
  readonly #db: Kysely<Schema>;
  readonly #turns = new Turns();
  readonly #group: GroupCommit<Transaction<Schema>>;
  /** Our row of the table of marks. */
  readonly #name = randomUUID();
  #commits = 0;
  /** Whether nothing was written since the savepoint of the transaction under way. */
  #isFresh = true;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
    this.#group = new GroupCommit({
      transaction: work => this.#once(work),
      savepoint: (trx, work) => this.#savepoint(trx, work),
      isOver: isLost,
      turn: work => this.#turns.take(work),
      holdMs: HOLD_MS,
    });
  }

  prepare(migrate: (db: Kysely<Schema>) => Promise<void>): Promise<void> {
    return this.#db.connection().execute(async connection => {
      try {
        await run(connection, begin('on'));
        await assertEncoding(connection);
        await migrate(connection);
        await run(connection, MARKS);
        // A database that can only be read is told now, not at the first write in the night. Only a real write does so.
        await run(connection, `${this.#mark(0)}; commit`);
      } catch (error) {
        await run(connection, 'rollback').catch(() => undefined); // the first error is the one to tell
        throw error;
      }
    });
  }

  write<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#group.write(work);
  }

  writeLazily<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#turns
      .take(() => this.#transaction(begin('off'), work))
      .catch((error: unknown) => {
        throw error instanceof UnknownOutcome ? error.cause : error;
      });
  }

  async close(): Promise<void> {
    await run(this.#db, `delete from commit_mark where writer = '${this.#name}'`).catch(() => undefined); // so be it
    await this.#db.destroy();
  }

  /**
   * A commit whose answer is lost with the connection may have happened or not. Its mark tells, so that it is neither
   * lost nor done twice.
   */
  async #once(work: (trx: Transaction<Schema>) => Promise<void>): Promise<void> {
    const commit = (this.#commits += 1);
    try {
      this.#isFresh = true;
      await this.#transaction(`${begin('on')}; ${this.#mark(commit)}; savepoint part`, work);
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
      if (!(await this.#hasCommitted(commit, error.cause))) throw error.cause;
    }
  }

  #mark(commit: number): string {
    return (
      `insert into commit_mark (writer, number, at) values ('${this.#name}', ${commit}, now()) ` +
      'on conflict (writer) do update set number = excluded.number, at = excluded.at'
    );
  }

  /** Makes `work` a part of the transaction that can fail by itself. The first part's savepoint is there already. */
  async #savepoint<T>(trx: Transaction<Schema>, work: () => Promise<T>): Promise<T> {
    if (!this.#isFresh) await run(trx, 'release part; savepoint part');
    this.#isFresh = false;
    try {
      return await work();
    } catch (error) {
      if (!isLost(error)) {
        await run(trx, 'rollback to part');
        this.#isFresh = true;
      }
      throw error;
    }
  }

  /** The lock is free when the lost transaction is over, one way or the other. */
  async #hasCommitted(commit: number, cause: unknown): Promise<boolean> {
    const deadline = Date.now() + SETTLE_LIMIT_MS;
    for (;;) {
      try {
        const number = await this.#transaction(begin('off'), trx => this.#lastMark(trx));
        return number >= commit;
      } catch (error) {
        const isPassing = error instanceof UnknownOutcome || isBusy(error);
        if (!isPassing || Date.now() > deadline) throw new OutcomeNeverLearned(cause);
      }
      await delay(100);
    }
  }

  async #lastMark(db: Kysely<Schema>): Promise<number> {
    const asked = sql<{ number: number }>`select number from commit_mark where writer = ${this.#name}`;
    return (await asked.execute(db)).rows[0]?.number ?? 0;
  }

  #transaction<T>(first: string, work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(async trx => {
      await run(trx, first);
      return work(trx);
    });
  }
}

/**
 * What every writer begins with, in one round trip. Each statement of this level of isolation sees what was committed
 * before it, so those after the lock see all. The lock is of the schema, since two repositories may share a database. A
 * process that stops in the middle (frozen, network gone) loses its transaction, not everybody's time.
 */
function begin(durable: 'on' | 'off'): string {
  return (
    `begin isolation level read committed; set local synchronous_commit = ${durable}; ` +
    `set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = '10s'; ` +
    `select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(coalesce(current_schema(), '')))`
  );
}

/**
 * Which of its commits was the last, for each repository that is open somewhere; of those that were killed for a day. No
 * table of the repository's own: SQLite has no need of it, and an export none either.
 */
const MARKS =
  'create table if not exists commit_mark (writer text primary key, number integer not null, at timestamptz not null); ' +
  "delete from commit_mark where at < now() - interval '1 day'";

/** "cert" as a number, to tell our locks from those of others. */
const LOCK_CLASS = 0x63657274;

async function run(db: Kysely<Schema>, statements: string): Promise<void> {
  await sql.raw(statements).execute(db);
}

async function assertEncoding(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ server_encoding: string }>`show server_encoding`.execute(db);
  const encoding = rows[0]?.server_encoding ?? '';
  if (encoding === 'UTF8') return;
  throw new CertDeskError(
    'CONFIG',
    `The database keeps text as ${encoding}, which lacks characters. Create it with: encoding 'UTF8' template template0`,
  );
}

/** The connection was lost when it was asked to commit. */
class UnknownOutcome extends Error {
  constructor(override readonly cause: unknown) {
    super('The answer to a commit was lost.');
  }
}

class OutcomeNeverLearned extends CertDeskError {
  constructor(cause: unknown) {
    super(
      'REPOSITORY',
      'The connection was lost in the moment of writing, and the server did not come back in time to say whether it has ' +
        'written. Start it, then send the message again.',
      { cause },
    );
  }
}

class CarefulDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }
  override createDriver(): PostgresDriver {
    return new CarefulDriver(this.#config);
  }
}

class CarefulDriver extends PostgresDriver {
  /** The writer's first statements begin. */
  override beginTransaction(): Promise<void> {
    return Promise.resolve();
  }
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.commitTransaction(connection);
    } catch (error) {
      throw isLost(error) ? new UnknownOutcome(error) : error;
    }
  }
  /** Where there is no connection to roll back on, the transaction is gone with it; why is the error to tell. */
  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]): Promise<void> {
    await super.rollbackTransaction(connection).catch(() => undefined);
  }
}
