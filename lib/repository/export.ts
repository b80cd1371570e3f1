import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql, type Kysely, type Transaction } from 'kysely';
import { CertDeskError } from '../model/errors';
import { MIGRATIONS } from './migrations';
import type { Schema } from './schema';
import type { Store } from './store';

/**
 * What is kept, each table with what its rows are known by; those that others refer to come first. Claims are left out:
 * they end by themselves.
 */
const TABLES: Readonly<Record<Exclude<keyof Schema, 'claim'>, readonly string[]>> = {
  run: ['run_id'],
  certificate: ['fingerprint'],
  evidence: ['id'],
  endpoint: ['name'],
  endpoint_certificate: ['fingerprint', 'endpoint'],
  sighting: ['run_id', 'endpoint'],
  finding: ['key'],
  notice: ['memory', 'key'],
  retired: ['memory', 'key_or_place'],
  ticket: ['desk', 'key'],
  carried: ['desk', 'key', 'run_id', 'state'],
  work: ['id'],
  counter: ['name'],
  local_ticket: ['id'],
  local_note: ['ticket_id', 'position'],
};
const NAMES = Object.keys(TABLES) as (keyof typeof TABLES)[];
const PAGE = 200;
const FORMAT = 'certdesk repository';

type Row = Record<string, string | number | null>;

/**
 * Everything that is kept, as lines of JSON: first what it is, then `{ table, row }` for every row, in the end how many
 * those were. Read in pages: what is written meanwhile may be in it or not.
 */
export async function* exportLines(store: Store, now: Date): AsyncGenerator<string> {
  yield JSON.stringify({ format: FORMAT, schema: newest(), at: now.toISOString() });
  let rows = 0;
  for (const table of NAMES) {
    for await (const row of readTable(store, table)) {
      rows += 1;
      yield JSON.stringify({ table, row });
    }
  }
  yield JSON.stringify({ rows });
}

/**
 * Writes what `exportLines` gave into a repository that is empty, all of it or nothing. Returns how many rows.
 * @throws CertDeskError `INVALID` for another text, a part of one, one of a newer version, or a repository in use
 */
export async function restoreLines(store: Store, lines: AsyncIterable<string>): Promise<number> {
  return store.write(async trx => {
    await assertEmpty(trx);
    let rows = -1;
    let isWhole = false;
    let batch: { table: string; rows: Row[] } = { table: '', rows: [] };
    for await (const line of lines) {
      if (line.trim() === '') continue;
      if (isWhole) throw refused('It goes on after its end.');
      const item = parse(line);
      if (rows < 0) {
        assertReadable(item);
        rows = 0;
      } else if (typeof item['rows'] === 'number') {
        if (item['rows'] !== rows) throw refused(`It has ${rows} of ${item['rows']} rows.`);
        isWhole = true;
      } else {
        const { table, row } = readItem(item);
        if (batch.table !== table || batch.rows.length >= PAGE) {
          await insert(trx, batch);
          batch = { table, rows: [] };
          await nextTurn();
        }
        batch.rows.push(row);
        rows += 1;
      }
    }
    if (!isWhole) throw refused('It was cut off.');
    await insert(trx, batch);
    return rows;
  });
}

async function* readTable(store: Store, table: keyof typeof TABLES): AsyncGenerator<Row> {
  const keys = TABLES[table].map(key => sql.ref(key));
  let last: Row | undefined;
  for (;;) {
    const after = last === undefined ? sql`1 = 1` : isAfter(TABLES[table], last);
    const { rows } = await store.read(db =>
      sql<Row>`select * from ${sql.table(table)} where ${after} order by ${sql.join(keys)} limit ${PAGE}`.execute(db),
    );
    yield* rows;
    last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    await nextTurn();
  }
}

/** Rows that come later in the order of these columns. */
function isAfter(columns: readonly string[], row: Row) {
  const names = columns.map(column => sql.ref(column));
  const values = columns.map(column => row[column]);
  return sql<boolean>`(${sql.join(names)}) > (${sql.join(values)})`;
}

async function assertEmpty(db: Kysely<Schema>): Promise<void> {
  for (const table of NAMES) {
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db);
    if (rows.length > 0) {
      throw new CertDeskError('INVALID', 'The repository is not empty. Restore into a new one, before its first run.');
    }
  }
}

function assertReadable(head: Record<string, unknown>): void {
  if (head['format'] !== FORMAT) throw refused('It does not begin like one.');
  if (!Object.hasOwn(MIGRATIONS, String(head['schema']))) {
    throw refused(`It was written by a newer version (${String(head['schema'])}). Update CertDesk first.`);
  }
}

function readItem({ table, row }: Record<string, unknown>): { table: keyof typeof TABLES; row: Row } {
  const known = NAMES.find(name => name === table);
  if (known === undefined || !isRow(row)) throw refused('A line of it is no row.');
  return { table: known, row };
}

function isRow(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every(part => part === null || typeof part === 'string' || typeof part === 'number');
}

async function insert(
  trx: Transaction<Schema>,
  { table, rows }: { table: string; rows: readonly Row[] },
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first);
  const values = rows.map(row => sql`(${sql.join(columns.map(column => row[column] ?? null))})`);
  const names = columns.map(column => sql.ref(column));
  await sql`insert into ${sql.table(table)} (${sql.join(names)}) values ${sql.join(values)}`.execute(trx);
}

function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw refused('A line of it is no JSON.');
}

function newest(): string {
  return Object.keys(MIGRATIONS).at(-1) ?? '';
}

function refused(why: string): CertDeskError {
  return new CertDeskError('INVALID', `This is no whole export of a repository. ${why} Nothing was written.`);
}
