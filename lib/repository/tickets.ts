import type { TicketRecord } from '../model/ticket';
import { fromJson } from './json';
import type { CarriedNotice } from './repository';
import type { Store } from './store';

/** Tickets by desk and key, the right to act on one, and what was carried out already. */
export class Tickets {
  readonly #store: Store;
  readonly #now: () => Date;
  constructor(store: Store, now: () => Date) {
    this.#store = store;
    this.#now = now;
  }

  async find(desk: string, key: string): Promise<TicketRecord | null> {
    const row = await this.#store.read(db =>
      db.selectFrom('ticket').select('record').where('desk', '=', desk).where('key', '=', key).executeTakeFirst(),
    );
    return row === undefined ? null : fromJson<TicketRecord>(row.record);
  }

  async save(desk: string, record: TicketRecord): Promise<void> {
    const values = { created_at: record.createdAt, record: JSON.stringify(record) };
    await this.#store.write(trx =>
      trx
        .insertInto('ticket')
        .values({ desk, key: record.key, ...values })
        .onConflict(conflict => conflict.columns(['desk', 'key']).doUpdateSet(values))
        .execute(),
    );
  }

  /** One conditional upsert decides, so of many who ask at once exactly one gets it. */
  async claim(desk: string, key: string, owner: string, leaseMs: number, now: Date): Promise<boolean> {
    const values = { owner, expires_at: new Date(now.getTime() + leaseMs).toISOString() };
    const claimed = await this.#store.write(trx =>
      trx
        .insertInto('claim')
        .values({ desk, key, ...values })
        .onConflict(conflict =>
          conflict
            .columns(['desk', 'key'])
            .doUpdateSet(values)
            .where(eb => eb.or([eb('claim.expires_at', '<=', now.toISOString()), eb('claim.owner', '=', owner)])),
        )
        .returning('owner')
        .executeTakeFirst(),
    );
    return claimed !== undefined;
  }

  async releaseClaim(desk: string, key: string, owner: string): Promise<void> {
    await this.#store.write(trx =>
      trx.deleteFrom('claim').where('desk', '=', desk).where('key', '=', key).where('owner', '=', owner).execute(),
    );
  }

  async carried(desk: string, notice: CarriedNotice): Promise<TicketRecord | null> {
    const row = await this.#store.read(db =>
      db
        .selectFrom('carried')
        .select('record')
        .where('desk', '=', desk)
        .where('key', '=', notice.key)
        .where('run_id', '=', notice.runId)
        .where('state', '=', notice.state)
        .executeTakeFirst(),
    );
    return row === undefined ? null : fromJson<TicketRecord>(row.record);
  }

  async saveCarried(desk: string, notice: CarriedNotice, record: TicketRecord): Promise<void> {
    const values = { at: this.#now().toISOString(), record: JSON.stringify(record) };
    await this.#store.write(trx =>
      trx
        .insertInto('carried')
        .values({ desk, key: notice.key, run_id: notice.runId, state: notice.state, ...values })
        .onConflict(conflict => conflict.columns(['desk', 'key', 'run_id', 'state']).doUpdateSet(values))
        .execute(),
    );
  }
}
