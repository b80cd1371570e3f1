import type { Transaction } from 'kysely';
import { fromJson } from './json';
import type { Work } from './repository';
import type { Schema } from './schema';
import type { Store } from './store';

/** Findings that wait for their helpdesk. */
export class WorkList {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async save(work: Work): Promise<void> {
    await this.#store.write(trx => insertWork(trx, work));
  }

  async change(was: Work, work: Work): Promise<boolean> {
    const changed = await this.#store.write(trx =>
      trx
        .updateTable('work')
        .set(toValues(work))
        .where('id', '=', was.id)
        .where('work', '=', JSON.stringify(was))
        .returning('id')
        .execute(),
    );
    return changed.length > 0;
  }

  async remove(id: string): Promise<void> {
    await this.#store.write(trx => trx.deleteFrom('work').where('id', '=', id).execute());
  }

  async find(desk?: string, key?: string): Promise<Work[]> {
    const rows = await this.#store.read(db => {
      const all = db.selectFrom('work').select('work');
      const ofDesk = desk === undefined ? all : all.where('desk', '=', desk);
      const wanted = key === undefined ? ofDesk : ofDesk.where('key', '=', key);
      return wanted.orderBy('created_at').orderBy('id').execute();
    });
    return rows.map(row => fromJson<Work>(row.work));
  }
}

/** Inserts or replaces by id. */
export async function insertWork(trx: Transaction<Schema>, work: Work): Promise<void> {
  const values = toValues(work);
  await trx
    .insertInto('work')
    .values({ id: work.id, ...values })
    .onConflict(conflict => conflict.column('id').doUpdateSet(values))
    .execute();
}

function toValues(work: Work): { desk: string; key: string; created_at: string; work: string } {
  return { desk: work.desk, key: work.key, created_at: work.createdAt, work: JSON.stringify(work) };
}
