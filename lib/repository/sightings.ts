import type { Selectable } from 'kysely';
import type { EndpointReport } from '../model/report';
import { Batch } from './batch';
import { CHUNK, inChunks } from './chunks';
import { loadEvidence, type Judgement } from './evidence';
import { fromJson } from './json';
import type { KnownEndpoint, Sighting } from './repository';
import type { EndpointTable } from './schema';
import type { Store } from './store';
import { writeReports } from './write-reports';

type EndpointRow = Selectable<EndpointTable>;

/** What was seen: reports in, known endpoints out. */
export class Sightings {
  readonly #store: Store;
  readonly #batch: Batch<EndpointReport>;
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
    this.#batch = new Batch({
      write: reports => store.writeLazily(trx => writeReports(trx, reports)),
      faultOf: error => store.faultOf(error),
      holdMs: store.holdMs,
    });
  }

  record(report: EndpointReport): void {
    if (!this.#isClosed) this.#batch.add(report);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  async endpoints(by: { names?: string[]; places?: string[]; fingerprints?: string[] }): Promise<KnownEndpoint[]> {
    await this.flush();
    const { names, places, fingerprints } = by;
    if (names === undefined && places === undefined && fingerprints === undefined)
      return this.#toKnown(await this.#all());
    const wanted = [
      ...(names ?? []),
      ...(await this.#namesAt(places ?? [])),
      ...(await this.holders(fingerprints ?? [])).map(holder => holder.endpoint),
    ];
    return this.#toKnown(await this.#byName(wanted));
  }

  /** Endpoints by name with their last two sightings, without the weight of their evidence. */
  async recent(names: string[]): Promise<Pick<KnownEndpoint, 'endpoint' | 'sightings'>[]> {
    return (await this.#byName(names)).map(seenOf);
  }

  /** Which endpoints have one of these among their last two sightings. */
  holders(fingerprints: string[]): Promise<{ fingerprint: string; endpoint: string }[]> {
    return inChunks(fingerprints, chunk =>
      this.#store.read(db =>
        db.selectFrom('endpoint_certificate').selectAll().where('fingerprint', 'in', chunk).execute(),
      ),
    );
  }

  /** Writes what is pending and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.flush();
    } finally {
      this.#batch.close();
    }
  }

  async #namesAt(places: string[]): Promise<string[]> {
    const rows = await inChunks(places, chunk =>
      this.#store.read(db => db.selectFrom('endpoint').select('name').where('place', 'in', chunk).execute()),
    );
    return rows.map(row => row.name);
  }

  async #byName(names: string[]): Promise<EndpointRow[]> {
    const rows = await inChunks(names, chunk =>
      this.#store.read(db => db.selectFrom('endpoint').selectAll().where('name', 'in', chunk).execute()),
    );
    return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** By pages: a turn of the event loop holds one at most. */
  async #all(): Promise<EndpointRow[]> {
    const found: EndpointRow[] = [];
    for (;;) {
      const last = found.at(-1)?.name ?? '';
      const rows = await this.#store.read(db =>
        db.selectFrom('endpoint').selectAll().where('name', '>', last).orderBy('name').limit(CHUNK).execute(),
      );
      for (const row of rows) found.push(row);
      if (rows.length < CHUNK) return found;
    }
  }

  async #toKnown(rows: EndpointRow[]): Promise<KnownEndpoint[]> {
    const judgements = await loadEvidence(
      this.#store,
      rows.map(row => row.evidence_id).filter(id => id !== null),
    );
    const found: KnownEndpoint[] = [];
    await inChunks(rows, async chunk => {
      for (const row of chunk) found.push(toKnown(row, judgements.get(row.evidence_id ?? '')));
      return [];
    });
    return found;
  }
}

function seenOf(row: EndpointRow): Pick<KnownEndpoint, 'endpoint' | 'sightings'> {
  const { name, domain, ip, port, starttls } = row;
  return { endpoint: { domain, ip, port, starttls, name }, sightings: fromJson<Sighting[]>(row.recent) };
}

function toKnown(row: EndpointRow, judgement: Judgement | undefined): KnownEndpoint {
  return {
    ...seenOf(row),
    firstSeenAt: row.first_seen_at,
    lastRunId: row.last_run_id,
    lastStatus: row.last_status as EndpointReport['status'],
    lastSeenAt: row.last_seen_at,
    evidence:
      row.evidence_run_id === null || row.evidence_at === null || judgement === undefined
        ? null
        : { runId: row.evidence_run_id, scannedAt: row.evidence_at, ...judgement },
  };
}
