import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'libsql';
import { openRepository, type RepositoryOptions } from '../../lib/repository/open';
import { onEveryProduct, usePlace } from '../support/repositories';
import type { Answer, Order } from './child';
import { sampleReport, sampleSummary } from './samples';

/** Each child compiles its own TypeScript. */
const CHILD_TIMEOUT_MS = 60_000;

onEveryProduct('several processes on one repository', product => {
  const place = usePlace(product);
  const children = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  function start(order: Order): ChildProcess {
    const child = fork(join(__dirname, 'child.ts'), { execArgv: ['--require', 'tsx/cjs'] });
    children.add(child);
    child.send(order);
    return child;
  }
  async function ask(order: Order): Promise<Answer> {
    const [answer] = (await once(start(order), 'message')) as [Answer];
    return answer;
  }

  it('can make it at the same moment', async () => {
    const orders = Array.from({ length: 4 }, () => ask({ what: 'open', options: place() }));
    assert.deepEqual(await Promise.all(orders), Array(4).fill({ opened: true }));
  }).timeout(CHILD_TIMEOUT_MS);

  it('claim each key exactly once between them', async () => {
    const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
    const owners = ['a', 'b'];
    const answers = await Promise.all(owners.map(owner => ask({ what: 'claim', options: place(), keys, owner })));
    const claimed = answers.flatMap(answer => ('claimed' in answer ? answer.claimed : []));
    assert.deepEqual(claimed.sort(), keys.sort());
  }).timeout(CHILD_TIMEOUT_MS);

  it('find accepted work and a sound database after one was killed while it wrote', async () => {
    const child = start({ what: 'work-until-killed', options: place() });
    const saved: string[] = [];
    await new Promise<void>(resolve => {
      child.on('message', (answer: Answer) => {
        if ('saved' in answer) saved.push(answer.saved);
        if (saved.length === 40) resolve();
      });
    });
    child.kill('SIGKILL');
    await once(child, 'exit');

    const repository = await openRepository(place());
    const kept = new Set((await repository.work('local')).map(work => work.id));
    assert.deepEqual(
      saved.filter(id => !kept.has(id)),
      [],
    );
    assert.equal((await repository.endpoints()).length, 20);
    await repository.close();
    await assertSound(place());
  }).timeout(CHILD_TIMEOUT_MS);
});

/** Only SQLite lets us ask; PostgreSQL keeps its rules by itself. */
async function assertSound(options: RepositoryOptions): Promise<void> {
  if (options.kind !== 'sqlite') return;
  const database = new Database(options.path);
  assert.deepEqual(database.pragma('integrity_check'), [{ integrity_check: 'ok' }]);
  assert.deepEqual(database.pragma('foreign_key_check'), []);
  database.close();
}

onEveryProduct('two connections of one process', product => {
  const place = usePlace(product);

  it('write at the same time without waiting for each other for ever', async () => {
    const [one, two] = await Promise.all([openRepository(place()), openRepository(place())]);
    for (let port = 1; port <= 200; port++) {
      one.record(sampleReport({ port, runId: 'run-1' }));
      two.record(sampleReport({ port, runId: 'run-2', scannedAt: '2026-11-02T10:00:00.000Z' }));
    }
    await Promise.all([
      one.flush(),
      two.flush(),
      one.claim({ desk: 'rt', key: 'k', owner: 'a', leaseMs: 60_000, now: new Date() }),
    ]);
    const known = await one.endpoints();
    assert.equal(known.length, 200);
    assert.deepEqual(
      new Set(known.map(endpoint => endpoint.sightings.map(sighting => sighting.runId).join())),
      new Set(['run-2,run-1']),
    );
    assert.equal(await two.claim({ desk: 'rt', key: 'k', owner: 'b', leaseMs: 60_000, now: new Date() }), false);
    await Promise.all([one.close(), two.close()]);
  });

  it('tell the end of a run once', async () => {
    const [one, two] = await Promise.all([openRepository(place()), openRepository(place())]);
    const told: string[] = [];
    one.onRunEnded(() => told.push('one'));
    two.onRunEnded(() => told.push('two'));
    await one.endRun(sampleSummary('run-1'));
    await two.endRun(sampleSummary('run-1'));
    assert.deepEqual(told, ['one']);
    await Promise.all([one.close(), two.close()]);
  });
});
