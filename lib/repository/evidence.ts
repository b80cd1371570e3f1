import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { EndpointReport } from '../model/report';
import { inChunks } from './chunks';
import { fromJson } from './json';
import type { Evidence } from './repository';
import type { EvidenceTable, Schema } from './schema';
import type { Store } from './store';

/** The judgement of a port without the run it was made in. */
export type Judgement = Pick<Evidence, 'ciphers' | 'checks'>;

/** A report's judgement as a row; equal judgements have equal ids. */
export function evidenceRow(report: EndpointReport): EvidenceTable {
  const ciphers = JSON.stringify(report.ciphers);
  const checks = JSON.stringify(report.checks);
  const id = createHash('sha256').update(ciphers).update('\n').update(checks).digest('base64url').slice(0, 32);
  return { id, ciphers, checks };
}

/** Inserts those that are not kept yet. Most are: asking first spares sending kilobytes that change nothing. */
export async function storeEvidence(trx: Transaction<Schema>, rows: EvidenceTable[]): Promise<void> {
  const missing = new Map(rows.map(row => [row.id, row]));
  if (missing.size === 0) return;
  const known = await trx
    .selectFrom('evidence')
    .select('id')
    .where('id', 'in', [...missing.keys()])
    .execute();
  for (const { id } of known) missing.delete(id);
  if (missing.size === 0) return;
  await trx
    .insertInto('evidence')
    .values([...missing.values()])
    .execute();
}

/** Judgements by id. Endpoints with the same one share the object, so it is frozen. */
export async function loadEvidence(store: Store, ids: string[]): Promise<Map<string, Judgement>> {
  const rows = await inChunks(ids, chunk =>
    store.read(db => db.selectFrom('evidence').selectAll().where('id', 'in', chunk).execute()),
  );
  return new Map(rows.map(row => [row.id, { ciphers: frozenList(row.ciphers), checks: frozenList(row.checks) }]));
}

function frozenList<T extends object>(json: string): T[] {
  const list = fromJson<T[]>(json);
  list.forEach(Object.freeze);
  Object.freeze(list);
  return list;
}
