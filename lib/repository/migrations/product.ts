import { PostgresAdapter, sql, type Kysely, type RawBuilder } from 'kysely';

/** Where the products differ in what tables are made of, the migration asks this. */
export function isPostgres(db: Pick<Kysely<unknown>, 'getExecutor'>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Text that is compared and sorted by its bytes, which PostgreSQL does by the rules of a language unless told. */
export function textType(db: Pick<Kysely<unknown>, 'getExecutor'>): 'text' | RawBuilder<unknown> {
  return isPostgres(db) ? sql`text collate "C"` : 'text';
}

/**
 * The schema that a new connection makes its tables in; null in SQLite, which has none, and where the user may make
 * none.
 */
export async function schemaOf<DB>(db: Kysely<DB>): Promise<string | null> {
  if (!isPostgres(db)) return null;
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db);
  return rows[0]?.name ?? null;
}
