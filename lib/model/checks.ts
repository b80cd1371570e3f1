/**
 * The checks by id. The six that the re-created product names come first wherever they are listed:
 * revoked-crl, revoked-ocsp, heartbleed, poodle-ssl, sslv3 and weak cipher suites (which are listed as ciphers).
 */
export const CHECK_IDS = [
  'revoked-crl',
  'revoked-ocsp',
  'heartbleed',
  'poodle-ssl',
  'sslv3',
  'expired',
  'not-yet-valid',
  'name-mismatch',
  'self-signed',
  'untrusted',
  'weak-signature',
  'weak-key',
  'must-staple',
  'sslv2',
  'tls10',
  'tls11',
  'no-tls13',
  'null-cipher',
  'anonymous-cipher',
  'export-cipher',
  'rc4',
  'des',
  'sweet32',
  'cbc-beast',
  'no-forward-secrecy',
  'ccs-injection',
  'padding-oracle-2016-2107',
  'poodle-tls',
  'robot',
  'drown',
  'freak',
  'logjam',
  'crime',
  'insecure-renegotiation',
  'client-renegotiation',
  'no-fallback-scsv',
  'ticketbleed',
  'no-post-quantum',
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

/** Advice: shown in the report, no Finding by default. `expired` is Expiry Check's business. */
const NO_FINDING: ReadonlySet<CheckId> = new Set<CheckId>([
  'no-tls13',
  'no-post-quantum',
  'must-staple',
  'no-forward-secrecy',
  'cbc-beast',
  'client-renegotiation',
  'no-fallback-scsv',
  'expired',
]);
export const DEFAULT_FINDINGS: readonly CheckId[] = CHECK_IDS.filter(id => !NO_FINDING.has(id));

/** Left out of profile `quick`. */
const FULL_ONLY: ReadonlySet<CheckId> = new Set<CheckId>([
  'client-renegotiation',
  'no-fallback-scsv',
  'no-post-quantum',
  'ticketbleed',
]);
export const QUICK_CHECKS: readonly CheckId[] = CHECK_IDS.filter(id => !FULL_ONLY.has(id));

export function isCheckId(text: string): text is CheckId {
  return (CHECK_IDS as readonly string[]).includes(text);
}
