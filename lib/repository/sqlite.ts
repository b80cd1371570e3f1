import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Database from 'libsql';
import {
  Kysely,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type SqliteDatabase,
  type SqliteStatement,
  type Transaction,
} from 'kysely';
import { GroupCommit } from './group-commit';
import type { Schema } from './schema';
import { repositoryError, type Dialect } from './store';
import { Turns } from './turns';

const MOST_STATEMENTS = 200;
/** How long a transaction may hold the event loop. */
const HOLD_MS = 5;

/**
 * The SQLite dialect: libsql, which blocks the event loop while it works. So it never waits for another process's
 * lock inside SQLite (no busy_timeout): `store.ts` waits outside, with the loop free, also for a second connection
 * of this very process, which could not let go of its lock otherwise.
 */
export async function openSqlite(path: string): Promise<Dialect> {
  const where = path === ':memory:' ? 'the repository in memory' : `the repository ${path}`;
  const database = await openFile(path).catch((error: unknown) => {
    throw repositoryError(error, where, explain(error));
  });
  const turns = new Turns();
  const turn = <T>(work: () => Promise<T>): Promise<T> => turns.take(work);
  const db = new Kysely<Schema>({ dialect: new LibsqlDialect(database) });
  const group = new GroupCommit<Transaction<Schema>>({
    transaction: work => db.transaction().execute(work),
    savepoint: (_trx, work) => savepoint(database, work),
    isOver: () => !database.inTransaction,
    turn,
    holdMs: HOLD_MS,
  });
  return {
    where,
    holdMs: HOLD_MS,
    prepare: migrate =>
      turn(() => {
        database.exec('pragma journal_mode = WAL; pragma foreign_keys = ON; pragma synchronous = FULL');
        // A file that can only be read is told now, not at the first write in the night. Only a real write does so.
        database.exec('begin immediate; pragma user_version = 1; rollback');
        return exclusively(database, () => migrate(db));
      }),
    read: run => turn(() => run(db)),
    write: run => group.write(run),
    writeLazily: run =>
      turn(async () => {
        database.exec('pragma synchronous = NORMAL');
        try {
          return await db.transaction().execute(run);
        } finally {
          database.exec('pragma synchronous = FULL');
        }
      }),
    close: () => db.destroy(),
    isBusy: error => /^SQLITE_(BUSY|PROTOCOL)/.test(codeOf(error)),
    // What breaks its rules is most likely the fault of what was written: https://sqlite.org/rescode.html
    faultOf: error => (/^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG)/.test(codeOf(error)) ? 'item-perhaps' : null),
    explain,
  };
}

async function openFile(path: string): Promise<Database.Database> {
  if (path !== ':memory:') await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return new Database(path);
}

/** Preparing costs a third of running the batch writer's statements, and the same few come again and again. */
class StatementCache implements SqliteDatabase {
  readonly #database: Database.Database;
  readonly #statements = new Map<string, SqliteStatement>();
  constructor(database: Database.Database) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare<unknown[]>(sql);
    const oldest = this.#statements.keys().next();
    if (this.#statements.size >= MOST_STATEMENTS && !oldest.done) this.#statements.delete(oldest.value);
    this.#statements.set(sql, statement);
    return statement;
  }

  /**
   * libsql lets go of the file when its statements are garbage collected, not before. So what the log still holds is
   * moved into the file first: a copy of the file alone is whole then.
   */
  close(): void {
    this.#statements.clear();
    try {
      this.#database.exec('pragma wal_checkpoint(TRUNCATE)');
    } catch {
      // Another connection reads: the log stays beside the file and is found at the next opening.
    }
    this.#database.close();
  }
}

/** One connection is all there is, so whatever Kysely is asked meanwhile is part of the transaction. */
async function exclusively<T>(database: Database.Database, work: () => Promise<T>): Promise<T> {
  database.exec('begin immediate');
  try {
    const result = await work();
    database.exec('commit');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('rollback');
    throw error;
  }
}

/** Makes `work` a part of the transaction under way that can fail by itself. */
async function savepoint<T>(database: Database.Database, work: () => Promise<T>): Promise<T> {
  database.exec('savepoint part');
  try {
    const result = await work();
    database.exec('release part');
    return result;
  } catch (error) {
    // A full disk has rolled back all of it already.
    if (database.inTransaction) database.exec('rollback to part; release part');
    throw error;
  }
}

class LibsqlDialect extends SqliteDialect {
  readonly #database: Database.Database;
  constructor(database: Database.Database) {
    super({ database });
    this.#database = database;
  }
  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#database);
  }
}

/**
 * Begins with the right to write: a transaction that reads first can't get it later when another process wrote
 * meanwhile. Begins by `exec`: a prepared BEGIN that found the database busy would hold on to an old state of it, since
 * libsql has no way to reset a statement.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: Database.Database;
  constructor(database: Database.Database) {
    super({ database: new StatementCache(database) });
    this.#database = database;
  }
  override async beginTransaction(): Promise<void> {
    this.#database.exec('begin immediate');
  }
  /** A full disk has rolled back already; rolling back again would hide the reason behind an error of its own. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection);
  }
}

/** What to do, by https://sqlite.org/rescode.html; the longest code that the error's code starts with counts. */
const ADVICE: readonly [code: string, advice: string][] = [
  ['SQLITE_NOTADB', 'The file is no SQLite database. Choose another path, or put a backup in its place.'],
  ['SQLITE_CORRUPT', 'The file is damaged. Stop Node-RED and put a backup in its place.'],
  [
    'SQLITE_READONLY',
    'It cannot be written. Give the user that runs Node-RED write access to the file and its folder.',
  ],
  ['SQLITE_PERM', 'Access is denied. Give the user that runs Node-RED write access to the file and its folder.'],
  ['SQLITE_CANTOPEN', 'It cannot be opened. Check that the path is a file in a folder that Node-RED may write to.'],
  ['SQLITE_FULL', 'The disk is full. Make room; what waits is written then.'],
  ['SQLITE_IOERR', 'The disk reports an error. Check disk space and health; what waits is tried again.'],
  ['SQLITE_BUSY', 'Another process keeps it locked. End what else has the file open.'],
  ['EACCES', 'Access is denied. Give the user that runs Node-RED write access to the folder.'],
  ['EPERM', 'Access is denied. Give the user that runs Node-RED write access to the folder.'],
  ['EROFS', 'The file system is read-only. Choose a path that can be written.'],
  ['ENOTDIR', 'A part of the path is a file. Choose another path.'],
  ['EEXIST', 'A part of the path is a file. Choose another path.'],
  ['ENOSPC', 'The disk is full. Make room.'],
];

function explain(error: unknown): string | null {
  const code = codeOf(error);
  return ADVICE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? null;
}

/** libsql gives no code for a failure to open, only SQLite's number (14) at the end of its text, and seldom none at all. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
  if (error.message.includes('readonly database')) return 'SQLITE_READONLY';
  return error.message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : '';
}
