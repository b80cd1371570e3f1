import type { Kysely } from 'kysely';
import { isOver } from '../../model/ticket';
import { textType } from './product';

interface Tables {
  ticket: { desk: string; key: string; record: string; open_id: string | null };
}

const PAGE = 500;

/** The helpdesk's id of every ticket that is not over, so that a run can read many at once. */
export async function up(db: Kysely<Tables>): Promise<void> {
  await db.schema.alterTable('ticket').addColumn('open_id', textType(db)).execute();
  await db.schema.createIndex('ticket_open').on('ticket').columns(['desk', 'open_id']).execute();
  let after = { desk: '', key: '' };
  for (;;) {
    const rows = await db
      .selectFrom('ticket')
      .select(['desk', 'key', 'record'])
      .where(eb =>
        eb.or([eb('desk', '>', after.desk), eb.and([eb('desk', '=', after.desk), eb('key', '>', after.key)])]),
      )
      .orderBy('desk')
      .orderBy('key')
      .limit(PAGE)
      .execute();
    for (const { desk, key, record } of rows) {
      const { id, status } = JSON.parse(record) as { id: string; status: Parameters<typeof isOver>[0] };
      if (id === '' || isOver(status)) continue;
      await db.updateTable('ticket').set({ open_id: id }).where('desk', '=', desk).where('key', '=', key).execute();
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last;
  }
}
