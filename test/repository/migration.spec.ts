import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { TicketRecord } from '../../lib/model/ticket';
import { migrate } from '../../lib/repository/migrate';
import { MIGRATIONS } from '../../lib/repository/migrations';
import { openRepository } from '../../lib/repository/open';
import { openSqlite } from '../../lib/repository/sqlite';
import { Store } from '../../lib/repository/store';
import { sampleRecord, useFolder } from './samples';

describe('a repository of an older version', () => {
  const folder = useFolder();

  it('knows its open tickets after the step to this one', async () => {
    const path = join(folder(), 'first.db');
    const first = new Store(await openSqlite(path));
    const [name, step] = Object.entries(MIGRATIONS)[0] ?? [];
    assert.ok(name === '0001-initial' && step);
    await first.prepare(db => migrate(db, { [name]: step }));
    const old = (key: string, parts: Partial<TicketRecord>) => ({
      ...{ desk: 'rt', key, created_at: '2026-11-01T10:00:00.000Z' },
      record: JSON.stringify(sampleRecord(key, parts)),
    });
    await first.write(trx =>
      sql`insert into ticket (desk, key, created_at, record) values ${sql.join(
        [
          old('a', { id: '1', status: 'Open' }),
          old('b', { id: '2', status: 'Resolved' }),
          old('c', { id: '', status: 'Unknown' }),
          ...Array.from({ length: 1_200 }, (_, index) =>
            old(`d${index}`, { id: String(index + 3), status: 'On Hold' }),
          ),
        ].map(row => sql`(${sql.join(Object.values(row))})`),
      )}`.execute(trx),
    );
    await first.close();
    const repository = await openRepository({ kind: 'sqlite', path });
    const ids = await repository.openTicketIds('rt');
    assert.equal(ids.length, 1_201);
    assert.ok(ids.includes('1') && !ids.includes('2') && !ids.includes(''));
    assert.deepEqual(await repository.ticket('rt', 'b'), sampleRecord('b', { id: '2', status: 'Resolved' }));
    await repository.close();
  });
});
