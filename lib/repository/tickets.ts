import type { Transaction } from 'kysely';
import { isOver, type TicketRecord } from '../model/ticket';
import { fromJson } from './json';
import type { CarriedNotice, Claim, Conclusion, Work } from './repository';
import type { Schema } from './schema';
import type { Store } from './store';
import { insertWork } from './work';

/** No lease is longer: an hour, where the slowest helpdesk settles within minutes. */
const LONGEST_LEASE_MS = 3_600_000;

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
    await this.#store.write(trx => upsertTicket(trx, desk, record));
  }

  async openIds(desk: string): Promise<string[]> {
    const rows = await this.#store.read(db =>
      db
        .selectFrom('ticket')
        .select('open_id')
        .where('desk', '=', desk)
        .where('open_id', 'is not', null)
        .orderBy('created_at', 'desc')
        .execute(),
    );
    return rows.flatMap(row => row.open_id ?? []);
  }

  claim(claim: Claim): Promise<boolean> {
    return this.#store.write(trx => takeClaim(trx, claim));
  }

  async releaseClaim(desk: string, key: string, owner: string): Promise<void> {
    await this.#store.write(trx => dropClaim(trx, desk, key, owner));
  }

  begin(work: Work, replaces: readonly string[], claim: Claim): Promise<boolean> {
    return this.#store.write(async trx => {
      await insertWork(trx, work);
      for (const id of replaces) await trx.deleteFrom('work').where('id', '=', id).execute();
      return takeClaim(trx, claim);
    });
  }

  async conclude(desk: string, { ticket, carried, record, workId, claim }: Conclusion): Promise<void> {
    const at = this.#now().toISOString();
    await this.#store.write(async trx => {
      if (ticket) await upsertTicket(trx, desk, ticket);
      for (const notice of carried) await upsertCarried(trx, desk, notice, { at, record: JSON.stringify(record) });
      if (workId !== undefined) await trx.deleteFrom('work').where('id', '=', workId).execute();
      if (claim !== undefined) await dropClaim(trx, desk, claim.key, claim.owner);
    });
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
}

async function upsertTicket(trx: Transaction<Schema>, desk: string, record: TicketRecord): Promise<void> {
  const { id, status, createdAt } = record;
  const open_id = id === '' || isOver(status) ? null : id;
  const values = { created_at: createdAt, record: JSON.stringify(record), open_id };
  await trx
    .insertInto('ticket')
    .values({ desk, key: record.key, ...values })
    .onConflict(conflict => conflict.columns(['desk', 'key']).doUpdateSet(values))
    .execute();
}

async function upsertCarried(
  trx: Transaction<Schema>,
  desk: string,
  { key, runId, state }: CarriedNotice,
  values: { at: string; record: string },
): Promise<void> {
  await trx
    .insertInto('carried')
    .values({ desk, key, run_id: runId, state, ...values })
    .onConflict(conflict => conflict.columns(['desk', 'key', 'run_id', 'state']).doUpdateSet(values))
    .execute();
}

/**
 * One conditional upsert decides, so of many who ask at once exactly one gets it. A claim that ends later than any can
 * was made before the clock was set back, and counts for nothing.
 */
async function takeClaim(trx: Transaction<Schema>, { desk, key, owner, leaseMs, now }: Claim): Promise<boolean> {
  const values = { owner, expires_at: after(now, leaseMs) };
  const claimed = await trx
    .insertInto('claim')
    .values({ desk, key, ...values })
    .onConflict(conflict =>
      conflict
        .columns(['desk', 'key'])
        .doUpdateSet(values)
        .where(eb =>
          eb.or([
            eb('claim.expires_at', '<=', now.toISOString()),
            eb('claim.expires_at', '>', after(now, LONGEST_LEASE_MS)),
            eb('claim.owner', '=', owner),
          ]),
        ),
    )
    .returning('owner')
    .executeTakeFirst();
  return claimed !== undefined;
}

async function dropClaim(trx: Transaction<Schema>, desk: string, key: string, owner: string): Promise<void> {
  await trx.deleteFrom('claim').where('desk', '=', desk).where('key', '=', key).where('owner', '=', owner).execute();
}

function after(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}
