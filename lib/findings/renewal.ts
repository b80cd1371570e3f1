import type { Certificate } from '../model/certificate';
import type { Endpoint } from '../model/endpoint';
import type { Sighting } from '../repository/repository';

/** An endpoint with the last two runs that reached it, newest first. */
export interface Seen {
  endpoint: Pick<Endpoint, 'ip' | 'port'>;
  sightings: readonly Sighting[];
}

/**
 * The certificates that an endpoint serves now (design.md, Renewal): of what its last two sightings show, the one
 * with the newest expiry per key type. So a newer one that alternates with its predecessor stays the current one,
 * and an older one is current again once it was seen alone in both. Key types are kept apart only where one sighting
 * shows several: a server that changed from RSA to ECDSA was renewed as well.
 * Today's clients' certificate comes first. A certificate file is exactly what was read last.
 */
export function currentCertificates(seen: Seen, certificates: ReadonlyMap<string, Certificate>): Certificate[] {
  const shown = seen.sightings.slice(0, 2).map(sighting => lookUp(sighting.fingerprints, certificates));
  const newest = shown[0] ?? [];
  if (isFile(seen.endpoint)) return newest;
  const hasSeveralTypes = shown.some(certs => new Set(certs.map(certificate => certificate.keyType)).size > 1);
  const winners = new Map<string, Certificate>();
  for (const certificate of shown.flat()) {
    const type = hasSeveralTypes ? certificate.keyType : '';
    const best = winners.get(type);
    if (best === undefined || isNewer(certificate, best)) winners.set(type, certificate);
  }
  const current = [...winners.values()];
  return [...newest.filter(c => current.includes(c)), ...current.filter(c => !newest.includes(c))];
}

/** Whether the endpoint counts as a place of the certificate: it served it last, and nothing renewed it there. */
export function isServed(seen: Seen, fingerprint: string, certificates: ReadonlyMap<string, Certificate>): boolean {
  return (
    seen.sightings[0]?.fingerprints.includes(fingerprint) === true &&
    currentCertificates(seen, certificates).some(certificate => certificate.fingerprint256 === fingerprint)
  );
}

/** What the last two runs that reached the endpoint saw there. A certificate missing here is gone from it. */
export function lastFingerprints(seen: Pick<Seen, 'sightings'>): Set<string> {
  return new Set(seen.sightings.slice(0, 2).flatMap(sighting => sighting.fingerprints));
}

/** What took a certificate's place among `current`: of its key type if possible, the newest. */
export function successorOf(
  certificate: Pick<Certificate, 'keyType' | 'fingerprint256'>,
  current: readonly Certificate[],
): Certificate | undefined {
  const others = current.filter(other => other.fingerprint256 !== certificate.fingerprint256);
  const sameType = others.filter(other => other.keyType === certificate.keyType);
  return (sameType.length > 0 ? sameType : others).reduce<Certificate | undefined>(
    (best, other) => (best === undefined || isNewer(other, best) ? other : best),
    undefined,
  );
}

function lookUp(fingerprints: readonly string[], certificates: ReadonlyMap<string, Certificate>): Certificate[] {
  return [...new Set(fingerprints)].flatMap(fingerprint => certificates.get(fingerprint) ?? []);
}

/** Later expiry, else later start: a certificate issued again up to the same day. */
function isNewer(one: Certificate, other: Certificate): boolean {
  const byExpiry = Date.parse(one.notAfter) - Date.parse(other.notAfter);
  return byExpiry > 0 || (byExpiry === 0 && Date.parse(one.notBefore) > Date.parse(other.notBefore));
}

/** See `Endpoint`: no address and port 0. */
function isFile(endpoint: Pick<Endpoint, 'ip' | 'port'>): boolean {
  return endpoint.ip === '' && endpoint.port === 0;
}
