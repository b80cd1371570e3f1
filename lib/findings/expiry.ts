import type { Certificate } from '../model/certificate';
import { daysLeft, isWithinDays } from '../model/dates';
import type { Endpoint } from '../model/endpoint';
import type { Finding } from '../model/finding';
import { expiryKey } from '../model/keys';
import type { KnownEndpoint, KnownFinding } from '../repository/repository';
import { isTellingCleared } from './cleared';
import { currentCertificates, isServed, lastFingerprints, successorOf } from './renewal';
import { selectPlaces } from './selection';
import type { ExpirySettings } from './settings';
import type { Judged } from './vulnerability';

/** The cause that an expiry Finding is kept with. */
export const EXPIRY_CAUSE = 'expiry';

/** All that the certificates of one run are judged by. */
export interface ExpiryFacts {
  runId: string;
  forced: boolean;
  /** Its scan was stopped: then nothing clears. */
  isStopped: boolean;
  now: Date;
  settings: ExpirySettings;
  /** To be judged: those due by their dates, and those that were found before. */
  candidates: readonly Certificate[];
  /** What was found before under the candidates' keys. */
  known: readonly KnownFinding[];
  /** Endpoints that have a candidate among their last two sightings, and places of what was found before. */
  endpoints: readonly KnownEndpoint[];
  /** By fingerprint: those in the endpoints' sightings. */
  certificates: ReadonlyMap<string, Certificate>;
  /** Fingerprints whose key needs them; see Repository.ambiguousCertificates. */
  ambiguous: ReadonlySet<string>;
}

/** Whether a certificate's end is near: within `days` or `percent` of its lifetime, whichever is less. */
export function isDue(certificate: Certificate, settings: ExpirySettings, now: Date): boolean {
  if (!isWithinDays(certificate.notAfter, settings.days, now)) return false;
  if (settings.percent === null) return true;
  const ends = Date.parse(certificate.notAfter);
  const lifetimeMs = ends - Date.parse(certificate.notBefore);
  return ends - now.getTime() <= (lifetimeMs * settings.percent) / 100;
}

/**
 * Judges certificates at the end of a run: one Finding each, naming every place. Pure. Active while a place serves
 * it and it is due; cleared once no place had it in the last two runs that reached them; in between it is quiet.
 */
export function judgeExpiry(facts: ExpiryFacts): Judged {
  const select = selectPlaces(facts.settings);
  const known = new Map(facts.known.map(finding => [finding.finding.key, finding]));
  const holders = holdersByFingerprint(facts.endpoints);
  const byName = new Map(facts.endpoints.map(seen => [seen.endpoint.name, seen]));
  const judged = facts.candidates.flatMap((certificate): Judged | [] => {
    const key = keyOf(certificate, facts.ambiguous, known);
    const before = known.get(key);
    const holding = holders.get(certificate.fingerprint256) ?? [];
    const places = holding.filter(seen => isServed(seen, certificate.fingerprint256, facts.certificates));
    const endpoints = select(
      certificate,
      places.map(({ endpoint }) => endpoint),
    );
    if (endpoints !== null && isDue(certificate, facts.settings, facts.now)) {
      return activate(facts, key, certificate, endpoints, before);
    }
    const isOver = before !== undefined && holding.length === 0 && !facts.isStopped;
    return isOver && select(certificate, before.finding.endpoints) !== null ? clear(facts, before, byName) : [];
  });
  return { findings: judged.flatMap(each => each.findings), changed: judged.flatMap(each => each.changed) };
}

/** Endpoints by the certificates that their last two sightings show. */
function holdersByFingerprint(endpoints: readonly KnownEndpoint[]): Map<string, KnownEndpoint[]> {
  const holders = new Map<string, KnownEndpoint[]>();
  for (const seen of endpoints) {
    for (const fingerprint of lastFingerprints(seen)) {
      const held = holders.get(fingerprint);
      if (held === undefined) holders.set(fingerprint, [seen]);
      else held.push(seen);
    }
  }
  return holders;
}

/** Both keys that a certificate can have; see `ambiguous`. */
export function possibleKeys(certificate: Certificate): string[] {
  return [expiryKey(certificate), expiryKey(certificate, { withFingerprint: true })];
}

/** A certificate that already has the plain key keeps it when another one with its serial number turns up. */
function keyOf(
  certificate: Certificate,
  ambiguous: ReadonlySet<string>,
  known: ReadonlyMap<string, KnownFinding>,
): string {
  const plain = expiryKey(certificate);
  const owner = known.get(plain)?.finding.certificate.fingerprint256;
  const isPlain = !ambiguous.has(certificate.fingerprint256) || owner === certificate.fingerprint256;
  return isPlain ? plain : expiryKey(certificate, { withFingerprint: true });
}

function activate(
  facts: ExpiryFacts,
  key: string,
  certificate: Certificate,
  places: readonly Endpoint[],
  before?: KnownFinding,
): Judged {
  const finding: Finding = {
    kind: 'expiry',
    state: 'active',
    key,
    certificate,
    endpoints: places.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ...common(facts, certificate),
  };
  const activeAt = before !== undefined && before.clearedAt === null ? before.activeAt : facts.now.toISOString();
  return {
    findings: [finding],
    changed: [{ finding, place: null, causes: [EXPIRY_CAUSE], activeAt, clearedAt: null }],
  };
}

function clear(facts: ExpiryFacts, before: KnownFinding, byName: ReadonlyMap<string, KnownEndpoint>): Judged | [] {
  const { finding: last, clearedAt } = before;
  if (clearedAt !== null && !isTellingCleared(clearedAt, facts.now)) return [];
  const served = last.endpoints.flatMap(({ name }) => {
    const seen = byName.get(name);
    return seen === undefined ? [] : currentCertificates(seen, facts.certificates);
  });
  const replacedBy = successorOf(last.certificate, served);
  const finding: Finding = {
    ...last,
    ...common(facts, last.certificate),
    state: 'cleared',
    ...(replacedBy === undefined ? {} : { replacedBy }),
  };
  const changed = clearedAt === null ? [{ ...before, clearedAt: facts.now.toISOString() }] : [];
  return { findings: [finding], changed };
}

function common(
  facts: ExpiryFacts,
  certificate: Certificate,
): Omit<Finding, 'kind' | 'state' | 'key' | 'certificate' | 'endpoints'> {
  return {
    detectedAt: facts.now.toISOString(),
    runId: facts.runId,
    forced: facts.forced,
    daysLeft: daysLeft(certificate.notAfter, facts.now),
  };
}
