import { CertDeskError } from '../model/errors';
import { migrate } from './migrate';
import type { Repository } from './repository';
import { SqlRepository } from './sql';
import { openSqlite } from './sqlite';
import { Store } from './store';

/** Which database; the properties of certdesk-repository in docs/contract.md. */
export type RepositoryOptions =
  | {
      kind: 'sqlite';
      /** File, made with its folder where missing; `:memory:` for one that ends with the process. */
      path: string;
    }
  | {
      kind: 'postgres';
      host: string;
      port: number;
      database: string;
      username: string;
      password: string;
    };

/**
 * Opens the repository and brings its tables to this version. Throws `CONFIG` for settings that can't work and
 * `REPOSITORY` for a database that can't be used. `now` is what `daysLeft` and kept times are told by.
 */
export async function openRepository(
  options: RepositoryOptions,
  now: () => Date = () => new Date(),
): Promise<Repository> {
  if (options.kind === 'postgres') {
    throw new CertDeskError(
      'CONFIG',
      'PostgreSQL repositories come with a later version of CertDesk. Choose SQLite until then.',
    );
  }
  if (options.path.trim() === '')
    throw new CertDeskError('CONFIG', 'The repository has no path. Give it a file to use.');
  const store = new Store(await openSqlite(options.path));
  try {
    await store.prepare(migrate);
  } catch (error) {
    await store.close().catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  return new SqlRepository(store, now);
}
