import { DEFAULT_MIGRATION_TABLE, Migrator, type Kysely, type Migration } from 'kysely';
import { CertDeskError } from '../model/errors';
import { MIGRATIONS } from './migrations';
import { schemaOf } from './migrations/product';
import type { Schema } from './schema';

/**
 * Brings the tables to this version's; the caller sees to it that all of it happens or nothing. Throws `REPOSITORY` where a newer version wrote them:
 * going on would lose what only that version knows.
 */
export async function migrate(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<void> {
  const schema = await schemaOf(db);
  const applied = await appliedMigrations(db, schema);
  const unknown = applied.filter(name => !(name in migrations));
  if (unknown.length > 0) {
    throw new CertDeskError(
      'REPOSITORY',
      `The repository was written by a newer version of CertDesk (it knows ${unknown.join(', ')}). ` +
        'Update CertDesk, or give this version a repository of its own.',
    );
  }
  if (Object.keys(migrations).every(name => applied.includes(name))) return;
  const provider = { getMigrations: () => Promise.resolve({ ...migrations }) };
  const migrator = new Migrator({
    ...{ db, provider, disableTransactions: true },
    ...(schema === null ? {} : { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined)
    throw error instanceof Error ? error : new Error('The tables could not be brought up to date.', { cause: error });
}

/** Only of the own schema: another application may keep such a table in another one. */
async function appliedMigrations(db: Kysely<Schema>, schema: string | null): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  const isOurs = (table: { name: string; schema?: string }): boolean =>
    table.name === DEFAULT_MIGRATION_TABLE && (schema === null || table.schema === schema);
  if (!tables.some(isOurs)) return [];
  const rows = await db
    .withTables<{ [DEFAULT_MIGRATION_TABLE]: { name: string } }>()
    .selectFrom(DEFAULT_MIGRATION_TABLE)
    .select('name')
    .execute();
  return rows.map(row => row.name);
}
