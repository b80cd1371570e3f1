import { fromJson } from './json';
import type { Work } from './repository';
import type { Store } from './store';

/** Findings that wait for their helpdesk. */
export class WorkList {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async save(work: Work): Promise<void> {
    const values = { desk: work.desk, key: work.key, created_at: work.createdAt, work: JSON.stringify(work) };
    await this.#store.write(trx =>
      trx
        .insertInto('work')
        .values({ id: work.id, ...values })
        .onConflict(conflict => conflict.column('id').doUpdateSet(values))
        .execute(),
    );
  }

  async remove(id: string): Promise<void> {
    await this.#store.write(trx => trx.deleteFrom('work').where('id', '=', id).execute());
  }

  async find(desk: string, key?: string): Promise<Work[]> {
    const rows = await this.#store.read(db => {
      const all = db.selectFrom('work').select('work').where('desk', '=', desk);
      const wanted = key === undefined ? all : all.where('key', '=', key);
      return wanted.orderBy('created_at').orderBy('id').execute();
    });
    return rows.map(row => fromJson<Work>(row.work));
  }
}
