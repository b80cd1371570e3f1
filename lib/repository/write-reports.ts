import type { Selectable, Transaction } from 'kysely';
import type { Certificate } from '../model/certificate';
import { placeOf } from '../model/endpoint';
import { servedFingerprints, type EndpointReport } from '../model/report';
import { storeCertificates } from './certificates';
import { evidenceRow, storeEvidence } from './evidence';
import { fromJson } from './json';
import type { Sighting } from './repository';
import type { EndpointTable, EvidenceTable, Schema } from './schema';

/** How many sightings of an endpoint judgement looks at. */
const RECENT = 2;

type EndpointRow = Selectable<EndpointTable>;
type EndpointRows = Map<string, EndpointRow>;

/**
 * Writes a batch in a few statements, whatever its size. Reports may come in any order, also late. Throws TypeError for
 * one that fits no table, before anything is written.
 */
export async function writeReports(trx: Transaction<Schema>, batch: EndpointReport[]): Promise<void> {
  batch.forEach(assertFits);
  const reports = await insertSightings(trx, batch);
  if (reports.length === 0) return;
  await storeCertificates(
    trx,
    reports.flatMap(report => servedBy(report).map(certificate => ({ certificate, at: report.scannedAt }))),
  );
  const names = [...new Set(reports.map(report => report.endpoint.name))];
  const rows = await trx.selectFrom('endpoint').selectAll().where('name', 'in', names).execute();
  const before: EndpointRows = new Map(rows.map(row => [row.name, row]));
  const after: EndpointRows = new Map(before);
  const served = await certificatesBefore(trx, reports, rows);
  const evidence: EvidenceTable[] = [];
  for (const report of reports) {
    const known = after.get(report.endpoint.name);
    const judged = report.status === 'unreachable' ? null : evidenceRow(report);
    if (judged !== null) evidence.push(judged);
    after.set(report.endpoint.name, { ...merge(known, report, served), ...mergeEvidence(known, report, judged) });
  }
  await storeEvidence(trx, evidence);
  await upsertEndpoints(trx, [...after.values()]);
  await updateHolders(trx, before, after);
}

/** Reports come from messages as well, and a value of another type than its column ends the process in libsql. */
function assertFits(report: EndpointReport): void {
  const { name, domain, ip, port, starttls } = report.endpoint;
  const certificates = servedBy(report);
  const texts: unknown[] = [
    ...[report.runId, report.scannedAt, report.status, name, ip, domain ?? '', starttls ?? ''],
    ...certificates.flatMap(({ fingerprint256, issuer, serialNumber }) => [fingerprint256, issuer, serialNumber]),
  ];
  if (texts.every(text => typeof text === 'string') && Number.isInteger(port)) return;
  throw new TypeError(`the report of ${String(name)} has values of a wrong type and is left out`);
}

/** The certificates that a report saw served, today's clients' first. */
function servedBy(report: EndpointReport): Certificate[] {
  return [...(report.certificate === null ? [] : [report.certificate]), ...report.otherCertificates];
}

/** What the endpoints of incomplete reports may serve beside what those show; see `servedFingerprints`. */
async function certificatesBefore(
  trx: Transaction<Schema>,
  reports: EndpointReport[],
  rows: EndpointRow[],
): Promise<Map<string, Certificate>> {
  const incomplete = new Set(
    reports.filter(report => report.certificatesComplete === false).map(report => report.endpoint.name),
  );
  if (incomplete.size === 0) return new Map();
  const wanted = new Set(rows.filter(row => incomplete.has(row.name)).flatMap(row => [...recentFingerprints(row)]));
  const found =
    wanted.size === 0
      ? []
      : await trx
          .selectFrom('certificate')
          .select('certificate')
          .where('fingerprint', 'in', [...wanted])
          .execute();
  const known = [...found.map(row => fromJson<Certificate>(row.certificate)), ...reports.flatMap(servedBy)];
  return new Map(known.map(certificate => [certificate.fingerprint256, certificate]));
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

/** An endpoint's row with one more report, evidence apart. */
function merge(known: EndpointRow | undefined, report: EndpointReport, certificates: ReadonlyMap<string, Certificate>) {
  const { name, domain, ip, port, starttls } = report.endpoint;
  const at = report.scannedAt;
  const recent = known === undefined ? [] : fromJson<Sighting[]>(known.recent);
  const before = recent.find(sighting => sighting.at <= at)?.fingerprints ?? [];
  const fingerprints = servedFingerprints(
    report,
    before.flatMap(fingerprint => certificates.get(fingerprint) ?? []),
  );
  const shown = new Set(servedBy(report).map(certificate => certificate.fingerprint256));
  const kept = fingerprints.filter(fingerprint => !shown.has(fingerprint));
  const sighting = { runId: report.runId, at, fingerprints, ...(kept.length === 0 ? {} : { kept }) };
  if (fingerprints.length > 0) recent.push(sighting);
  recent.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  const isLatest = known === undefined || at >= known.last_seen_at;
  return {
    ...{ name, domain, ip, port, starttls, place: placeOf(report.endpoint) },
    first_seen_at: known !== undefined && known.first_seen_at < at ? known.first_seen_at : at,
    last_run_id: isLatest ? report.runId : known.last_run_id,
    last_status: isLatest ? report.status : known.last_status,
    last_seen_at: isLatest ? at : known.last_seen_at,
    recent: JSON.stringify(recent.slice(0, RECENT)),
  };
}

function mergeEvidence(known: EndpointRow | undefined, report: EndpointReport, judged: EvidenceTable | null) {
  if (judged !== null && (known?.evidence_at ?? '') <= report.scannedAt) {
    return { evidence_run_id: report.runId, evidence_at: report.scannedAt, evidence_id: judged.id };
  }
  return {
    evidence_run_id: known?.evidence_run_id ?? null,
    evidence_at: known?.evidence_at ?? null,
    evidence_id: known?.evidence_id ?? null,
  };
}

async function upsertEndpoints(trx: Transaction<Schema>, rows: EndpointRow[]): Promise<void> {
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
        evidence_run_id: eb.ref('excluded.evidence_run_id'),
        evidence_at: eb.ref('excluded.evidence_at'),
        evidence_id: eb.ref('excluded.evidence_id'),
      })),
    )
    .execute();
}

/** Keeps `endpoint_certificate` in step with `endpoint.recent`; most batches change nothing there. */
async function updateHolders(trx: Transaction<Schema>, before: EndpointRows, after: EndpointRows): Promise<void> {
  const added: { fingerprint: string; endpoint: string }[] = [];
  for (const [endpoint, row] of after) {
    const held = recentFingerprints(before.get(endpoint));
    for (const fingerprint of recentFingerprints(row)) {
      if (!held.delete(fingerprint)) added.push({ fingerprint, endpoint });
    }
    if (held.size === 0) continue;
    await trx
      .deleteFrom('endpoint_certificate')
      .where('endpoint', '=', endpoint)
      .where('fingerprint', 'in', [...held])
      .execute();
  }
  if (added.length > 0) await trx.insertInto('endpoint_certificate').values(added).execute();
}

function recentFingerprints(row: EndpointRow | undefined): Set<string> {
  return new Set(row === undefined ? [] : fromJson<Sighting[]>(row.recent).flatMap(sighting => sighting.fingerprints));
}
