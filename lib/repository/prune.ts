import { setImmediate as nextTurn } from 'node:timers/promises';
import { CHUNK } from './chunks';
import type { Store } from './store';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Removes runs that started before, with their sightings, and notices carried out before `days` days ago, in small
 * transactions. What is known of an endpoint (its last two sightings, its evidence) is no history and stays: a place
 * that was not reached for a year keeps its last known certificate.
 */
export async function prune(store: Store, days: number, now: Date): Promise<void> {
  const before = new Date(now.getTime() - days * DAY_MS).toISOString();
  const runs = await store.read(db => db.selectFrom('run').select('run_id').where('started_at', '<', before).execute());
  for (const { run_id: runId } of runs) {
    await untilNone(() => deleteSightings(store, runId));
    await store.write(trx => trx.deleteFrom('run').where('run_id', '=', runId).execute());
  }
  await untilNone(() => deleteCarried(store, before));
  await untilNone(() => deleteUnusedEvidence(store));
}

async function untilNone(deleteSome: () => Promise<number>): Promise<void> {
  while ((await deleteSome()) > 0) await nextTurn();
}

async function deleteSightings(store: Store, runId: string): Promise<number> {
  const result = await store.writeLazily(trx =>
    trx
      .deleteFrom('sighting')
      .where('run_id', '=', runId)
      .where('endpoint', 'in', eb =>
        eb.selectFrom('sighting').select('endpoint').where('run_id', '=', runId).orderBy('endpoint').limit(CHUNK),
      )
      .executeTakeFirst(),
  );
  return Number(result.numDeletedRows);
}

async function deleteCarried(store: Store, before: string): Promise<number> {
  const result = await store.writeLazily(async trx => {
    const last = await trx
      .selectFrom('carried')
      .select('at')
      .where('at', '<', before)
      .orderBy('at')
      .offset(CHUNK)
      .limit(1)
      .executeTakeFirst();
    // Whole moments at a time: several notices may have been carried out in the same millisecond.
    return trx
      .deleteFrom('carried')
      .where('at', '<', before)
      .where('at', '<=', last?.at ?? before)
      .executeTakeFirst();
  });
  return Number(result.numDeletedRows);
}

/** Judgements that no endpoint has any more. */
async function deleteUnusedEvidence(store: Store): Promise<number> {
  const result = await store.writeLazily(trx =>
    trx
      .deleteFrom('evidence')
      .where('id', 'in', eb =>
        eb
          .selectFrom('evidence')
          .leftJoin('endpoint', 'endpoint.evidence_id', 'evidence.id')
          .select('evidence.id')
          .where('endpoint.name', 'is', null)
          .limit(CHUNK),
      )
      .executeTakeFirst(),
  );
  return Number(result.numDeletedRows);
}
