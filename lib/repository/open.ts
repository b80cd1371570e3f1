import { CertDeskError } from '../model/errors';
import { migrate } from './migrate';
import type { Repository } from './repository';
import { openPostgres } from './postgres';
import type { PostgresAccess } from './postgres-pool';
import { SqlRepository } from './sql';
import { openSqlite } from './sqlite';
import { Store, type Dialect } from './store';

/** Which database; the properties of certdesk-repository in docs/contract.md. */
export type RepositoryOptions =
  | {
      kind: 'sqlite';
      /** File, made with its folder where missing; `:memory:` for one that ends with the process. */
      path: string;
    }
  | ({ kind: 'postgres' } & PostgresAccess);

/**
 * Opens the repository and brings its tables to this version. Throws `CONFIG` for settings that can't work and
 * `REPOSITORY` for a database that can't be used. `now` is what `daysLeft` and kept times are told by.
 */
export async function openRepository(
  options: RepositoryOptions,
  now: () => Date = () => new Date(),
): Promise<Repository> {
  const store = new Store(await openDialect(options));
  try {
    await store.prepare(migrate);
  } catch (error) {
    await store.close().catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  return new SqlRepository(store, now);
}

async function openDialect(options: RepositoryOptions): Promise<Dialect> {
  if (options.kind === 'sqlite') {
    if (options.path.trim() === '')
      throw new CertDeskError('CONFIG', 'The repository has no path. Give it a file to use.');
    return openSqlite(options.path);
  }
  for (const name of ['host', 'database', 'username'] as const) {
    if (options[name].trim() === '')
      throw new CertDeskError('CONFIG', `${name}: the repository in PostgreSQL needs it. Fill it in and deploy.`);
  }
  return openPostgres(options);
}
