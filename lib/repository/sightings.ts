import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Kysely, Selectable, Transaction } from 'kysely';
import { placeOf } from '../model/endpoint';
import type { EndpointReport } from '../model/report';
import { Batch } from './batch';
import { storeCertificates } from './certificates';
import { CHUNK, inChunks } from './chunks';
import { fromJson } from './json';
import type { KnownEndpoint, Sighting } from './repository';
import type { EndpointTable, EvidenceTable, Schema } from './schema';
import type { Store } from './store';

/** How many sightings of an endpoint judgement looks at. */
const RECENT = 2;

/** What was seen: reports in, known endpoints out. */
export class Sightings {
  readonly #store: Store;
  readonly #batch: Batch<EndpointReport>;
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
    this.#batch = new Batch(reports => store.writeLazily(trx => writeReports(trx, reports)));
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
    if (names === undefined && places === undefined && fingerprints === undefined) return this.#all();
    const wanted = new Set(names);
    for (const name of await this.#namesAt(places ?? [])) wanted.add(name);
    for (const { endpoint } of await this.holders(fingerprints ?? [])) wanted.add(endpoint);
    const found = await inChunks(wanted, chunk =>
      this.#store.read(db => selectKnown(db).where('endpoint.name', 'in', chunk).execute()),
    );
    return found.map(toKnown).sort((a, b) => (a.endpoint.name < b.endpoint.name ? -1 : 1));
  }

  /** Which endpoints have one of these among their last two sightings. */
  holders(fingerprints: string[]): Promise<{ fingerprint: string; endpoint: string }[]> {
    return inChunks(fingerprints, chunk =>
      this.#store.read(db =>
        db.selectFrom('endpoint_certificate').selectAll().where('fingerprint', 'in', chunk).execute(),
      ),
    );
  }

  /** Endpoints by name with their last two sightings, without the weight of their evidence. */
  async recent(names: string[]): Promise<Pick<KnownEndpoint, 'endpoint' | 'sightings'>[]> {
    const rows = await inChunks(names, chunk =>
      this.#store.read(db =>
        db
          .selectFrom('endpoint')
          .select(['name', 'domain', 'ip', 'port', 'starttls', 'recent'])
          .where('name', 'in', chunk)
          .execute(),
      ),
    );
    return rows
      .map(({ recent, ...endpoint }) => ({ endpoint, sightings: fromJson<Sighting[]>(recent) }))
      .sort((a, b) => (a.endpoint.name < b.endpoint.name ? -1 : 1));
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

  /** By pages, so that no turn of the event loop is long. */
  async #all(): Promise<KnownEndpoint[]> {
    const found: KnownEndpoint[] = [];
    for (let last = ''; ;) {
      const rows = await this.#store.read(db =>
        selectKnown(db).where('endpoint.name', '>', last).orderBy('endpoint.name').limit(CHUNK).execute(),
      );
      for (const row of rows) found.push(toKnown(row));
      last = rows.at(-1)?.name ?? '';
      if (rows.length < CHUNK) return found;
      await nextTurn();
    }
  }
}

function selectKnown(db: Kysely<Schema>) {
  return db
    .selectFrom('endpoint')
    .leftJoin('evidence', 'evidence.endpoint', 'endpoint.name')
    .selectAll('endpoint')
    .select(['evidence.run_id', 'evidence.scanned_at', 'evidence.ciphers', 'evidence.checks']);
}

type Nullable<T> = { [K in keyof T]: T[K] | null };
type KnownRow = Selectable<EndpointTable> & Nullable<Omit<Selectable<EvidenceTable>, 'endpoint'>>;

function toKnown(row: KnownRow): KnownEndpoint {
  const { name, domain, ip, port, starttls } = row;
  return {
    endpoint: { domain, ip, port, starttls, name },
    firstSeenAt: row.first_seen_at,
    lastRunId: row.last_run_id,
    lastStatus: row.last_status as EndpointReport['status'],
    lastSeenAt: row.last_seen_at,
    sightings: fromJson(row.recent),
    evidence:
      row.run_id === null || row.scanned_at === null || row.ciphers === null || row.checks === null
        ? null
        : {
            runId: row.run_id,
            scannedAt: row.scanned_at,
            ciphers: fromJson(row.ciphers),
            checks: fromJson(row.checks),
          },
  };
}

/** The certificates that a report saw served, today's clients' first. */
function servedBy(report: EndpointReport) {
  return [...(report.certificate === null ? [] : [report.certificate]), ...report.otherCertificates];
}

async function writeReports(trx: Transaction<Schema>, batch: EndpointReport[]): Promise<void> {
  const reports = await insertSightings(trx, batch);
  if (reports.length === 0) return;
  await storeCertificates(
    trx,
    reports.flatMap(report => servedBy(report).map(certificate => ({ certificate, at: report.scannedAt }))),
  );
  const names = [...new Set(reports.map(report => report.endpoint.name))];
  const rows = await trx.selectFrom('endpoint').selectAll().where('name', 'in', names).execute();
  const before = new Map(rows.map(row => [row.name, row]));
  const after = new Map(before);
  for (const report of reports) {
    after.set(report.endpoint.name, merge(after.get(report.endpoint.name), report));
  }
  await upsertEndpoints(trx, [...after.values()]);
  await updateHolders(trx, before, after);
  await upsertEvidence(trx, reports);
}

/** Adds to the history, and returns the reports that were not there yet. */
async function insertSightings(trx: Transaction<Schema>, batch: EndpointReport[]): Promise<EndpointReport[]> {
  const runs = new Map(batch.map(report => [report.runId, report.scannedAt]));
  await trx
    .insertInto('run')
    .values([...runs].map(([run_id, started_at]) => ({ run_id, started_at, forced: 0 })))
    .onConflict(conflict => conflict.doNothing())
    .execute();
  const inserted = await trx
    .insertInto('sighting')
    .values(
      batch.map(report => ({
        run_id: report.runId,
        endpoint: report.endpoint.name,
        at: report.scannedAt,
        status: report.status,
        fingerprints: JSON.stringify(servedBy(report).map(certificate => certificate.fingerprint256)),
      })),
    )
    .onConflict(conflict => conflict.doNothing())
    .returning(['run_id', 'endpoint'])
    .execute();
  const fresh = new Set(inserted.map(row => `${row.run_id} ${row.endpoint}`));
  // `delete` is true once, so that of two reports of one run and endpoint in the batch the first counts.
  return batch.filter(report => fresh.delete(`${report.runId} ${report.endpoint.name}`));
}

/** An endpoint's row with one more report; reports may come in any order. */
function merge(known: Selectable<EndpointTable> | undefined, report: EndpointReport): Selectable<EndpointTable> {
  const { name, domain, ip, port, starttls } = report.endpoint;
  const fingerprints = servedBy(report).map(certificate => certificate.fingerprint256);
  const recent: Sighting[] = known === undefined ? [] : fromJson(known.recent);
  if (fingerprints.length > 0) recent.push({ runId: report.runId, at: report.scannedAt, fingerprints });
  recent.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  const isLatest = known === undefined || report.scannedAt >= known.last_seen_at;
  return {
    ...{ name, domain, ip, port, starttls, place: placeOf(report.endpoint) },
    first_seen_at:
      known !== undefined && known.first_seen_at < report.scannedAt ? known.first_seen_at : report.scannedAt,
    last_run_id: isLatest ? report.runId : known.last_run_id,
    last_status: isLatest ? report.status : known.last_status,
    last_seen_at: isLatest ? report.scannedAt : known.last_seen_at,
    recent: JSON.stringify(recent.slice(0, RECENT)),
  };
}

async function upsertEndpoints(trx: Transaction<Schema>, rows: Selectable<EndpointTable>[]): Promise<void> {
  await trx
    .insertInto('endpoint')
    .values(rows)
    .onConflict(conflict =>
      conflict.column('name').doUpdateSet(eb => ({
        starttls: eb.ref('excluded.starttls'),
        first_seen_at: eb.ref('excluded.first_seen_at'),
        last_run_id: eb.ref('excluded.last_run_id'),
        last_status: eb.ref('excluded.last_status'),
        last_seen_at: eb.ref('excluded.last_seen_at'),
        recent: eb.ref('excluded.recent'),
      })),
    )
    .execute();
}

async function updateHolders(
  trx: Transaction<Schema>,
  before: Map<string, Selectable<EndpointTable>>,
  after: Map<string, Selectable<EndpointTable>>,
): Promise<void> {
  const added: { fingerprint: string; endpoint: string }[] = [];
  for (const [endpoint, row] of after) {
    const held = recentFingerprints(before.get(endpoint));
    const holds = recentFingerprints(row);
    for (const fingerprint of holds) if (!held.delete(fingerprint)) added.push({ fingerprint, endpoint });
    if (held.size === 0) continue;
    await trx
      .deleteFrom('endpoint_certificate')
      .where('endpoint', '=', endpoint)
      .where('fingerprint', 'in', [...held])
      .execute();
  }
  if (added.length > 0) await trx.insertInto('endpoint_certificate').values(added).execute();
}

function recentFingerprints(row: Selectable<EndpointTable> | undefined): Set<string> {
  return new Set(row === undefined ? [] : fromJson<Sighting[]>(row.recent).flatMap(sighting => sighting.fingerprints));
}

async function upsertEvidence(trx: Transaction<Schema>, reports: EndpointReport[]): Promise<void> {
  const latest = new Map<string, EndpointReport>();
  for (const report of reports) {
    const other = latest.get(report.endpoint.name);
    if (report.status === 'unreachable' || (other !== undefined && other.scannedAt > report.scannedAt)) continue;
    latest.set(report.endpoint.name, report);
  }
  if (latest.size === 0) return;
  await trx
    .insertInto('evidence')
    .values(
      [...latest].map(([endpoint, report]) => ({
        endpoint,
        run_id: report.runId,
        scanned_at: report.scannedAt,
        ciphers: JSON.stringify(report.ciphers),
        checks: JSON.stringify(report.checks),
      })),
    )
    .onConflict(conflict =>
      conflict
        .column('endpoint')
        .doUpdateSet(eb => ({
          run_id: eb.ref('excluded.run_id'),
          scanned_at: eb.ref('excluded.scanned_at'),
          ciphers: eb.ref('excluded.ciphers'),
          checks: eb.ref('excluded.checks'),
        }))
        .whereRef('excluded.scanned_at', '>=', 'evidence.scanned_at'),
    )
    .execute();
}
