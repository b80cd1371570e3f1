/** CRLReason (RFC 5280 section 5.3.1), for people. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'its key was compromised',
  2: 'the authority was compromised',
  3: 'the affiliation changed',
  4: 'it was superseded',
  5: 'its operation ceased',
  6: 'it is on hold',
  9: 'a privilege was withdrawn',
  10: 'an attribute authority was compromised',
};

/** In a delta list: what the base list has is not revoked any more. */
export const REMOVE_FROM_CRL = 8;

/** `revoked since 2026-01-02T03:04:05.000Z (its key was compromised)`. */
export function sayRevoked(at: number, reason: number | null): string {
  const why = REASONS[reason ?? 0];
  return `revoked since ${new Date(at).toISOString()}${why === undefined ? '' : ` (${why})`}`;
}
