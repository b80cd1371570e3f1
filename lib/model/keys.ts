import { createHash } from 'node:crypto';
import type { Certificate } from './certificate';
import type { Endpoint } from './endpoint';

/**
 * External keys: a readable prefix and a hash, at most 40 of `[a-z0-9-]`, stable across versions.
 * Such a key fits every helpdesk's field and needs no escaping in any query language.
 */
type CertificateId = Pick<Certificate, 'issuer' | 'serialNumber' | 'fingerprint256'>;

/** What a vulnerability key is made per; see `findingPer` in the contract. */
export type FindingPer = 'certificate-and-place' | 'place' | 'place-and-port';

/**
 * One expiry ticket per certificate: issuer + serial number.
 * `withFingerprint` where the same issuer and serial number came with two different keys.
 */
export function expiryKey(certificate: CertificateId, options: { withFingerprint?: boolean } = {}): string {
  return makeKey('exp', certificateParts(certificate, options.withFingerprint));
}

/** One vulnerability ticket per certificate + domain + IP, or as `per` says. */
export function vulnerabilityKey(
  certificate: CertificateId,
  endpoint: Pick<Endpoint, 'domain' | 'ip' | 'port'>,
  options: { per?: FindingPer; withFingerprint?: boolean } = {},
): string {
  const per = options.per ?? 'certificate-and-place';
  const parts = [endpoint.domain ?? '', endpoint.ip];
  if (per === 'certificate-and-place') parts.unshift(...certificateParts(certificate, options.withFingerprint));
  if (per === 'place-and-port') parts.push(String(endpoint.port));
  return makeKey('vul', [per, ...parts], endpoint.domain ?? endpoint.ip);
}

function certificateParts(certificate: CertificateId, withFingerprint = false): string[] {
  const parts = [certificate.issuer, certificate.serialNumber];
  if (withFingerprint) parts.push(certificate.fingerprint256);
  return parts;
}

/** `cd-exp-<24 hex>` or `cd-vul-<readable, at most 8>-<24 hex>`: 40 characters at most. */
function makeKey(kind: 'exp' | 'vul', parts: string[], readable = ''): string {
  const hash = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 24);
  const label = readable
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 8)
    .replace(/^-+|-+$/g, '');
  return ['cd', kind, ...(label === '' ? [] : [label]), hash].join('-');
}
