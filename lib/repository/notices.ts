import { inChunks } from './chunks';
import { fromJson } from './json';
import type { Notice } from './repository';
import type { Store } from './store';

/** What was told, one memory per policy, and what a user retired there. */
export class Notices {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async find(memory: string, keys: string[]): Promise<Map<string, Notice>> {
    const rows = await inChunks(keys, chunk =>
      this.#store.read(db =>
        db
          .selectFrom('notice')
          .select(['key', 'notice'])
          .where('memory', '=', memory)
          .where('key', 'in', chunk)
          .execute(),
      ),
    );
    return new Map(rows.map(row => [row.key, fromJson<Notice>(row.notice)]));
  }

  async save(memory: string, notices: Notice[]): Promise<void> {
    await inChunks(notices, async chunk => {
      // One statement may not touch a row twice (PostgreSQL), so of one key's notices the last counts.
      const byKey = new Map(chunk.map(notice => [notice.key, JSON.stringify(notice)]));
      await this.#store.write(trx =>
        trx
          .insertInto('notice')
          .values([...byKey].map(([key, notice]) => ({ memory, key, notice })))
          .onConflict(conflict =>
            conflict.columns(['memory', 'key']).doUpdateSet(eb => ({ notice: eb.ref('excluded.notice') })),
          )
          .execute(),
      );
      return [];
    });
  }

  async retired(memory: string): Promise<Set<string>> {
    const rows = await this.#store.read(db =>
      db.selectFrom('retired').select('key_or_place').where('memory', '=', memory).execute(),
    );
    return new Set(rows.map(row => row.key_or_place));
  }

  async setRetired(memory: string, keyOrPlace: string, isRetired: boolean): Promise<void> {
    await this.#store.write<unknown>(trx =>
      isRetired
        ? trx
            .insertInto('retired')
            .values({ memory, key_or_place: keyOrPlace })
            .onConflict(conflict => conflict.doNothing())
            .execute()
        : trx.deleteFrom('retired').where('memory', '=', memory).where('key_or_place', '=', keyOrPlace).execute(),
    );
  }
}
