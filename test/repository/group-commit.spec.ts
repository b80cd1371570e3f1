import assert from 'node:assert/strict';
import { GroupCommit } from '../../lib/repository/group-commit';
import { migrate } from '../../lib/repository/migrate';
import { openSqlite } from '../../lib/repository/sqlite';
import { Store } from '../../lib/repository/store';

describe('writes that wait at the same time', () => {
  let store: Store;

  beforeEach(async () => {
    const dialect = await openSqlite(':memory:');
    store = new Store(dialect);
    await store.prepare(migrate);
  });
  afterEach(() => store.close());

  const insert = (name: string, then: () => void = () => undefined): Promise<void> =>
    store.write(async trx => {
      await trx.insertInto('counter').values({ name, value: 1 }).execute();
      then();
    });
  const names = async (): Promise<string[]> => {
    const rows = await store.read(db => db.selectFrom('counter').select('name').orderBy('name').execute());
    return rows.map(({ name }) => name);
  };

  it('are all there when they resolve', async () => {
    await Promise.all(['a', 'b', 'c'].map(name => insert(name)));
    assert.deepEqual(await names(), ['a', 'b', 'c']);
  });

  it('fail alone: what the failed one wrote is undone, the others stay', async () => {
    const [a, b, c] = await Promise.allSettled([
      insert('a'),
      insert('b', () => {
        throw new Error('no');
      }),
      insert('c'),
    ]);
    assert.deepEqual([a.status, b.status, c.status], ['fulfilled', 'rejected', 'fulfilled']);
    assert.deepEqual(await names(), ['a', 'c']);
  });

  it('fail alone too when the database refuses one', async () => {
    const results = await Promise.allSettled([insert('a'), insert('a'), insert('b')]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await names(), ['a', 'b']);
  });
});

describe('group commit', () => {
  /** A database of the mind: what a transaction did counts when it ends well. */
  function grouped(options: { failsAt?: 'begin' | 'commit'; isOver?: boolean } = {}) {
    const log: string[] = [];
    const group = new GroupCommit<string[]>({
      async transaction(work) {
        if (options.failsAt === 'begin') throw new Error('busy');
        const wrote: string[] = [];
        await work(wrote);
        if (options.failsAt === 'commit') throw new Error('disk full');
        log.push(wrote.join(' '));
      },
      savepoint: (_trx, work) => work(),
      isOver: () => options.isOver ?? false,
      turn: work => work(),
      holdMs: 5,
    });
    const write = (name: string, error?: Error): Promise<string> =>
      group.write(wrote => {
        wrote.push(name);
        return error === undefined ? Promise.resolve(name) : Promise.reject(error);
      });
    return { log, write };
  }
  const reasons = (results: PromiseSettledResult<string>[]): string[] =>
    results.map(result => (result.status === 'rejected' ? String(result.reason) : result.value));

  it('takes what waits in one transaction, what comes meanwhile in the next', async () => {
    const { log, write } = grouped();
    await Promise.all([write('a'), write('b').then(() => write('d')), write('c')]);
    assert.deepEqual(log, ['a b c', 'd']);
  });

  it('tells all of a group when it could not begin or be committed', async () => {
    for (const [failsAt, reason] of [
      ['begin', 'Error: busy'],
      ['commit', 'Error: disk full'],
    ] as const) {
      const { log, write } = grouped({ failsAt });
      assert.deepEqual(reasons(await Promise.allSettled([write('a'), write('b')])), [reason, reason]);
      assert.deepEqual(log, []);
    }
  });

  it('tells all that were tried when an error has undone the whole transaction', async () => {
    const { write } = grouped({ isOver: true });
    const results = await Promise.allSettled([write('a'), write('b', new Error('disk full'))]);
    assert.deepEqual(reasons(results), ['Error: disk full', 'Error: disk full']);
  });
});
