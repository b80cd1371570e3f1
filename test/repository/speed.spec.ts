import assert from 'node:assert/strict';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { PRODUCTS, type Place } from '../support/repositories';
import { skip } from '../support/skip';
import { fingerprint, sampleCertificate, sampleReport, useFolder } from './samples';

const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** Ratios within the same run, so that a slow or busy machine does not matter. */
describe('speed of the repository', function () {
  this.timeout(120_000);
  const folder = useFolder();

  /** `count` endpoints; each certificate is served by 20 of them. */
  async function fill(path: string, count: number): Promise<Repository> {
    const repository = await openRepository({ kind: 'sqlite', path });
    for (let index = 0; index < count; index++) {
      const certificate = sampleCertificate(`${Math.floor(index / 20)}.`);
      repository.record(sampleReport({ ip: `10.0.${index >> 8}.${index & 255}`, certificate }));
    }
    await repository.flush();
    return repository;
  }

  async function fastest(run: () => Promise<unknown>): Promise<number> {
    let best = Infinity;
    for (let round = 0; round < 15; round++) {
      const startedAt = performance.now();
      await run();
      best = Math.min(best, performance.now() - startedAt);
    }
    return best;
  }

  it('depends on what is asked for, not on how much is known', async () => {
    const small = await fill(':memory:', 100);
    const large = await fill(':memory:', 10_000);
    const questions: Parameters<Repository['endpoints']>[0][] = [
      { fingerprints: [fingerprint('3.')] },
      { places: ['shop.example@10.0.0.7'] },
      { names: ['shop.example@10.0.0.7:443'] },
    ];
    for (const question of questions) {
      const found = (await large.endpoints(question)).length;
      assert.equal(found, (await small.endpoints(question)).length);
      const ratio = (await fastest(() => large.endpoints(question))) / (await fastest(() => small.endpoints(question)));
      assert.ok(
        ratio < 3,
        `${JSON.stringify(question)}: ${ratio.toFixed(1)} times as long with 100 times the endpoints`,
      );
    }
    const perEndpoint = async (repository: Repository, count: number) =>
      (await fastest(() => repository.endpoints())) / count;
    const ratio = (await perEndpoint(large, 10_000)) / (await perEndpoint(small, 100));
    assert.ok(ratio < 4, `each of all endpoints: ${ratio.toFixed(1)} times as long`);
    await Promise.all([small.close(), large.close()]);
  });

  it('leaves the event loop to others while a scan is written', async () => {
    const repository = await openRepository({ kind: 'sqlite', path: join(folder(), 'repository.db') });
    const reports = Array.from({ length: 2_000 }, (_, index) => sampleReport({ port: index }));
    const delays = monitorEventLoopDelay({ resolution: 1 });
    const startedAt = performance.now();
    delays.enable();
    for (const report of reports) repository.record(report);
    await repository.flush();
    delays.disable();
    const tookMs = performance.now() - startedAt;
    const p99Ms = delays.percentile(99) / 1e6;
    assert.ok(p99Ms < tookMs / 5, `held ${p99Ms.toFixed(1)} ms at the 99th percentile of ${tookMs.toFixed(0)} ms`);
    assert.ok(p99Ms < 100, `held ${p99Ms.toFixed(1)} ms at the 99th percentile`);
    await repository.close();
  });

  it('leaves the event loop to others between writes that are awaited one by one', async () => {
    const repository = await openRepository({ kind: 'sqlite', path: ':memory:' });
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const now = new Date();
    for (let index = 0; index < 1_000; index++)
      await repository.claim({ desk: 'rt', key: `k${index}`, owner: 'a', leaseMs: 1_000, now });
    isDone = true;
    assert.ok(turns >= 5, `${turns} turns of the event loop in 1,000 writes`);
    await repository.close();
  });
});

/** The same work on both products in the same run: how many times as long PostgreSQL takes. */
describe('speed of a repository in PostgreSQL', function () {
  this.timeout(180_000);
  const places: Place[] = [];
  const repositories: Repository[] = [];
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    for (const product of PRODUCTS) {
      const reason = await product.unavailable();
      if (reason !== null) skip(this, reason);
      const place = await product.make();
      places.push(place);
      repositories.push(await openRepository(place.options));
    }
  });
  after(async () => {
    for (const repository of repositories) await repository.close();
    for (const place of places) await place.remove();
  });

  const now = new Date();
  const claim = (repository: Repository, key: string): Promise<boolean> =>
    repository.claim({ desk: 'rt', key, owner: 'a', leaseMs: 1_000, now });
  const work: [what: string, atMost: number, run: (repository: Repository, round: number) => Promise<unknown>][] = [
    [
      'reports',
      5,
      (repository, round) => {
        for (let port = 1; port <= 500; port++) repository.record(sampleReport({ runId: `run-${round}`, port }));
        return repository.flush();
      },
    ],
    [
      'claims at once',
      20,
      (repository, round) => Promise.all(Array.from({ length: 200 }, (_, i) => claim(repository, `k${round}-${i}`))),
    ],
    [
      'claims one by one',
      10,
      async (repository, round) => {
        for (let index = 0; index < 20; index++) await claim(repository, `l${round}-${index}`);
      },
    ],
    ['reading all endpoints', 5, repository => repository.endpoints()],
  ];
  for (const [what, atMost, run] of work) {
    it(`is of the order of SQLite's: ${what}`, async () => {
      const best = [Infinity, Infinity];
      for (let round = 0; round < 5; round++) {
        for (const [index, repository] of repositories.entries()) {
          const startedAt = performance.now();
          await run(repository, round);
          best[index] = Math.min(best[index] ?? Infinity, performance.now() - startedAt);
        }
      }
      const [sqlite = 0, postgres = 0] = best;
      const ratio = postgres / sqlite;
      assert.ok(ratio < atMost, `${what}: ${ratio.toFixed(1)} times as long as in SQLite`);
    });
  }
});
