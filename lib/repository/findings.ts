import type { Finding } from '../model/finding';
import { inChunks } from './chunks';
import { fromJson } from './json';
import type { KnownFinding } from './repository';
import type { FindingTable } from './schema';
import type { Store } from './store';

/** What was found, by key: active now, or since when over. */
export class Findings {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  async find(by: { kind: Finding['kind']; places?: string[]; keys?: string[] }): Promise<KnownFinding[]> {
    const { kind, places, keys } = by;
    const load = (column: 'place' | 'key', values: string[]) =>
      inChunks(values, chunk =>
        this.#store.read(db =>
          db.selectFrom('finding').selectAll().where('kind', '=', kind).where(column, 'in', chunk).execute(),
        ),
      );
    const rows =
      places === undefined && keys === undefined
        ? await this.#store.read(db => db.selectFrom('finding').selectAll().where('kind', '=', kind).execute())
        : [...(await load('place', places ?? [])), ...(await load('key', keys ?? []))];
    const byKey = new Map(rows.map(row => [row.key, row]));
    return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(toKnown);
  }

  async save(findings: KnownFinding[]): Promise<void> {
    // One statement may not touch a row twice (PostgreSQL), so of one key's findings the last counts.
    const rows = new Map(findings.map(known => [known.finding.key, known]));
    await inChunks(rows.values(), async chunk => {
      await this.#store.write(trx =>
        trx
          .insertInto('finding')
          .values(chunk.map(toRow))
          .onConflict(conflict =>
            conflict.column('key').doUpdateSet(eb => ({
              kind: eb.ref('excluded.kind'),
              place: eb.ref('excluded.place'),
              active_at: eb.ref('excluded.active_at'),
              cleared_at: eb.ref('excluded.cleared_at'),
              causes: eb.ref('excluded.causes'),
              finding: eb.ref('excluded.finding'),
            })),
          )
          .execute(),
      );
      return [];
    });
  }
}

function toRow(known: KnownFinding): FindingTable {
  return {
    key: known.finding.key,
    kind: known.finding.kind,
    place: known.place,
    active_at: known.activeAt,
    cleared_at: known.clearedAt,
    causes: JSON.stringify(known.causes),
    finding: JSON.stringify(known.finding),
  };
}

function toKnown(row: FindingTable): KnownFinding {
  return {
    finding: fromJson(row.finding),
    place: row.place,
    causes: fromJson(row.causes),
    activeAt: row.active_at,
    clearedAt: row.cleared_at,
  };
}
