import type { Certificate } from '../model/certificate';
import type { CheckId } from '../model/checks';
import type { Endpoint } from '../model/endpoint';
import { servedFingerprints, STAGES, type Check, type EndpointReport } from '../model/report';
import type { KnownEndpoint, Sighting } from '../repository/repository';
import type { Answers } from './causes';
import { currentCertificates } from './renewal';

/** What one port of a place counts with in a run. */
export interface PortView extends Answers {
  endpoint: Endpoint;
  /**
   * `seen`: answered in this run. `before`: not in this run, counts with its last known verdict. `lost`: could not be
   * reached, now or when it was last tried; its last known verdict stands but proves nothing for today.
   */
  look: 'seen' | 'before' | 'lost';
  /** When its answers were given, null when it never gave any. */
  scannedAt: string | null;
  /** Fingerprints of the certificates that the certificate checks are about. */
  checked: readonly string[];
  /** Served now, today's clients' first; see renewal.ts. */
  certificates: Certificate[];
}

/** Checks whose answer is about the certificate that was shown, not about the server. */
const CERTIFICATE_CHECKS: ReadonlySet<CheckId> = new Set<CheckId>([
  'expired',
  'not-yet-valid',
  'name-mismatch',
  'self-signed',
  'untrusted',
  'weak-signature',
  'weak-key',
  'revoked-ocsp',
  'revoked-crl',
  'must-staple',
]);

/** The ports of a place, by name: those of this run's reports, and what is known of others. */
export function viewPorts(
  reports: readonly EndpointReport[],
  known: readonly KnownEndpoint[],
  certificates: ReadonlyMap<string, Certificate>,
): PortView[] {
  const remembered = new Map(known.map(endpoint => [endpoint.endpoint.name, endpoint]));
  const reported = new Map(reports.map(report => [report.endpoint.name, report]));
  return [...new Set([...remembered.keys(), ...reported.keys()])]
    .toSorted()
    .flatMap(name => view(reported.get(name), remembered.get(name), certificates));
}

/** Whether the scan was ended before it could judge the endpoint. */
export function wasStopped(report: EndpointReport): boolean {
  return STAGES.some(stage => report.stages[stage].reason === 'STOPPED');
}

/**
 * The port's answers as far as they concern one certificate; all of them for null. A fault of one other certificate is
 * `ok` for this one, and of a certificate that was not shown the checks of certificates say nothing.
 */
export function answersFor(port: PortView, certificate: Certificate | null): PortView {
  if (certificate === null) return port;
  const { fingerprint256: own } = certificate;
  const isChecked = port.checked.includes(own);
  const checks = port.checks.flatMap((check): Check | [] => {
    if (check.fingerprint256 === own || !CERTIFICATE_CHECKS.has(check.id)) return check;
    if (!isChecked) return [];
    return check.fingerprint256 === undefined ? check : { id: check.id, verdict: 'ok' };
  });
  return { ...port, checks };
}

function view(
  report: EndpointReport | undefined,
  known: KnownEndpoint | undefined,
  certificates: ReadonlyMap<string, Certificate>,
): PortView | [] {
  const isSeen = report !== undefined && report.status !== 'unreachable';
  const endpoint = report?.endpoint ?? known?.endpoint;
  if (endpoint === undefined) return [];
  const own = isSeen ? [report.certificate, ...report.otherCertificates].filter(c => c !== null) : [];
  const sightings = addSighting(known?.sightings ?? [], report, certificates);
  const everything = new Map([...certificates, ...own.map(c => [c.fingerprint256, c] as const)]);
  const current = currentCertificates({ endpoint, sightings }, everything);
  if (isSeen) {
    return {
      endpoint,
      look: 'seen',
      scannedAt: report.scannedAt,
      checked: own.map(certificate => certificate.fingerprint256),
      certificates: current,
      ciphers: report.ciphers,
      checks: report.checks,
      protocols: report.protocols,
    };
  }
  const evidence = known?.evidence ?? null;
  const shown = sightings.find(sighting => sighting.runId === evidence?.runId);
  return {
    endpoint,
    look: report !== undefined || known?.lastStatus === 'unreachable' || evidence === null ? 'lost' : 'before',
    scannedAt: evidence?.scannedAt ?? null,
    checked: shown?.fingerprints.filter(fingerprint => shown.kept?.includes(fingerprint) !== true) ?? [],
    certificates: current,
    ciphers: evidence?.ciphers ?? [],
    checks: evidence?.checks ?? [],
    protocols: null,
  };
}

/** The report's own sighting counts also before it can be read back. */
function addSighting(
  known: readonly Sighting[],
  report: EndpointReport | undefined,
  certificates: ReadonlyMap<string, Certificate>,
): Sighting[] {
  if (report === undefined || report.status === 'unreachable') return [...known];
  const before = (known[0]?.fingerprints ?? []).flatMap(fingerprint => certificates.get(fingerprint) ?? []);
  const fingerprints = servedFingerprints(report, before);
  if (fingerprints.length === 0 || known.some(s => s.runId === report.runId)) return [...known];
  return [{ runId: report.runId, at: report.scannedAt, fingerprints }, ...known];
}
