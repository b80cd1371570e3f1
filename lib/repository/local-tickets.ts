import type { Transaction } from 'kysely';
import { CertDeskError } from '../model/errors';
import { inChunks } from './chunks';
import { fromJson } from './json';
import type { LocalNote, LocalTicket, LocalTickets } from './repository';
import type { LocalTicketTable, Schema } from './schema';
import type { Store } from './store';

const HIGHEST_NUMBER = 2 ** 31 - 1;

/** What has no column of its own. */
type TicketBody = Pick<LocalTicket, 'subject' | 'body' | 'priority' | 'createdAt'>;

/** Tickets of the embedded desk in the repository's own tables. */
export class SqlLocalTickets implements LocalTickets {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async create(ticket: Omit<LocalTicket, 'id'>): Promise<LocalTicket> {
    const { key, status, updatedAt, notes, ...body } = ticket;
    const id = await this.#store.write(async trx => {
      const number = await nextNumber(trx, 'local_ticket');
      const row = { id: number, key, status, updated_at: updatedAt, ticket: JSON.stringify(body) };
      await trx.insertInto('local_ticket').values(row).execute();
      for (const [position, note] of notes.entries()) {
        await trx
          .insertInto('local_note')
          .values({ ticket_id: number, position, note: JSON.stringify(note) })
          .execute();
      }
      return number;
    });
    return { ...ticket, id: String(id) };
  }

  async get(ids: string[]): Promise<LocalTicket[]> {
    const numbers = ids.map(toNumber).filter(number => number !== null);
    const rows = await inChunks(numbers, chunk =>
      this.#store.read(db => db.selectFrom('local_ticket').selectAll().where('id', 'in', chunk).execute()),
    );
    return this.#withNotes(rows);
  }

  async findByKey(key: string): Promise<LocalTicket[]> {
    const rows = await this.#store.read(db =>
      db.selectFrom('local_ticket').selectAll().where('key', '=', key).execute(),
    );
    return this.#withNotes(rows);
  }

  async setStatus(id: string, status: string, at: string): Promise<void> {
    await this.#store.write(trx => touch(trx, id, { status, updated_at: at }));
  }

  async addNote(id: string, note: LocalNote): Promise<void> {
    await this.#store.write(async trx => {
      const number = await touch(trx, id, { updated_at: note.at });
      const { last } = await trx
        .selectFrom('local_note')
        .select(eb => eb.fn.max('position').as('last'))
        .where('ticket_id', '=', number)
        .executeTakeFirstOrThrow();
      const position = last === null ? 0 : Number(last) + 1;
      await trx
        .insertInto('local_note')
        .values({ ticket_id: number, position, note: JSON.stringify(note) })
        .execute();
    });
  }

  async #withNotes(rows: LocalTicketTable[]): Promise<LocalTicket[]> {
    const ids = rows.map(row => row.id);
    const notes = await inChunks(ids, chunk =>
      this.#store.read(db =>
        db.selectFrom('local_note').selectAll().where('ticket_id', 'in', chunk).orderBy('position').execute(),
      ),
    );
    return rows
      .sort((a, b) => a.id - b.id)
      .map(row => ({
        ...{ id: String(row.id), key: row.key, status: row.status, updatedAt: row.updated_at },
        ...fromJson<TicketBody>(row.ticket),
        notes: notes.filter(note => note.ticket_id === row.id).map(note => fromJson<LocalNote>(note.note)),
      }));
  }
}

/** From 1, kept beside the tickets, so that a number is never given twice. */
async function nextNumber(trx: Transaction<Schema>, name: string): Promise<number> {
  const { value } = await trx
    .insertInto('counter')
    .values({ name, value: 1 })
    .onConflict(conflict => conflict.column('name').doUpdateSet(eb => ({ value: eb('counter.value', '+', 1) })))
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

async function touch(
  trx: Transaction<Schema>,
  id: string,
  values: Partial<Pick<LocalTicketTable, 'status' | 'updated_at'>>,
): Promise<number> {
  const number = toNumber(id);
  const found =
    number === null
      ? undefined
      : await trx.updateTable('local_ticket').set(values).where('id', '=', number).returning('id').executeTakeFirst();
  if (found === undefined) {
    throw new CertDeskError('NOT_FOUND', `The embedded desk has no ticket ${id}. It may be in another repository.`);
  }
  return found.id;
}

/** Null for what no ticket's number can be; PostgreSQL refuses to compare one with more than its column holds. */
function toNumber(id: string): number | null {
  return /^[1-9][0-9]*$/.test(id) && Number(id) <= HIGHEST_NUMBER ? Number(id) : null;
}
