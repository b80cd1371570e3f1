import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRepository, type RepositoryOptions } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { sharedPostgres } from '../lab/postgres';
import { skip } from './skip';

/** A new, empty repository's place, which several may open; `remove` it when all of them are closed. */
export interface Place {
  options: RepositoryOptions;
  remove(): Promise<void>;
}

/** What a repository can be kept in. */
export interface Product {
  name: 'SQLite' | 'PostgreSQL';
  /** Why it can't be had here, null when it can. The first time may install and start it. */
  unavailable(): Promise<string | null>;
  make(): Promise<Place>;
}

export const PRODUCTS: readonly Product[] = [
  {
    name: 'SQLite',
    unavailable: async () => null,
    make: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'certdesk-repository-'));
      return {
        options: { kind: 'sqlite', path: join(folder, 'repository.db') },
        remove: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: 'PostgreSQL',
    unavailable: async () => {
      const server = await sharedPostgres();
      return 'skipped' in server ? server.skipped : null;
    },
    make: async () => {
      const server = await sharedPostgres();
      if ('skipped' in server) throw new Error(server.skipped);
      const access = await server.takeDatabase();
      return { options: { kind: 'postgres', ...access }, remove: () => server.giveBack(access) };
    },
  },
];

const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** The same suite on every product; one that can't be had here is skipped, and the end of the run says why. */
export function onEveryProduct(title: string, suite: (product: Product) => void): void {
  for (const product of PRODUCTS) {
    describe(`${title} (${product.name})`, () => {
      before(async function () {
        this.timeout(INSTALL_TIMEOUT_MS);
        const reason = await product.unavailable();
        if (reason !== null) skip(this, reason);
      });
      suite(product);
    });
  }
}

/** A place of its own for each test; call inside the suite. */
export function usePlace(product: Product): () => RepositoryOptions {
  let place: Place | undefined;
  beforeEach(async () => {
    place = await product.make();
  });
  afterEach(() => place?.remove());
  return () => {
    if (place === undefined) throw new Error('There is a place only while a test runs.');
    return place.options;
  };
}

/** An open repository for each test, whose clock stands at `now`; call inside the suite. */
export function useRepository(product: Product, now = '2026-11-02T00:00:00.000Z'): () => Repository {
  let repository: Repository | undefined;
  if (product.name === 'SQLite') {
    beforeEach(async () => {
      repository = await openRepository({ kind: 'sqlite', path: ':memory:' }, () => new Date(now));
    });
  } else {
    const place = usePlace(product);
    beforeEach(async () => {
      repository = await openRepository(place(), () => new Date(now));
    });
  }
  afterEach(() => repository?.close());
  return () => {
    if (repository === undefined) throw new Error('There is a repository only while a test runs.');
    return repository;
  };
}
