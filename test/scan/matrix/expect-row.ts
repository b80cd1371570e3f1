import assert from 'node:assert/strict';
import { CHECK_IDS, QUICK_CHECKS, type CheckId } from '../../../lib/model/checks';
import { PROTOCOLS, type EndpointReport } from '../../../lib/model/report';
import type { Row } from './row';

/** Suites of each version that was offered. */
export function suitesFound({ protocols, ciphers }: EndpointReport): Record<string, number> {
  return Object.fromEntries(
    PROTOCOLS.filter(protocol => protocols[protocol] === 'offered').map(protocol => [
      protocol,
      ciphers.filter(cipher => cipher.protocol === protocol).length,
    ]),
  );
}

/** Each certificate that the server has, once. */
export function expectCertificates({ keys = ['RSA'] }: Row, { certificate, otherCertificates }: EndpointReport): void {
  const shown = [certificate, ...otherCertificates];
  assert.deepEqual(shown.map(one => one?.keyType).toSorted(), [...keys].toSorted());
  assert.equal(new Set(shown.map(one => one?.fingerprint256)).size, keys.length);
}

/** Every check with another verdict than the row says, with the scanner's sentence; all at once, to see what they share. */
export function expectVerdicts(row: Row, report: EndpointReport, profile: 'quick' | 'full'): void {
  const wrong = report.checks.flatMap(({ id, verdict, detail }) => {
    const expected = expectedVerdict(row, id, profile);
    return verdict === expected ? [] : [`${id}: expected ${expected}, got ${verdict} (${detail ?? ''})`];
  });
  assert.deepEqual(
    report.checks.map(({ id }) => id),
    [...CHECK_IDS],
  );
  assert.deepEqual(wrong, []);
}

function expectedVerdict(row: Row, id: CheckId, profile: 'quick' | 'full'): string {
  if (profile === 'quick' && !QUICK_CHECKS.includes(id)) return 'skipped';
  if (row.cannotTell?.includes(id) === true) return 'cannot-tell';
  if (row.vulnerable.includes(id)) return 'vulnerable';
  return row.notApplicable.includes(id) ? 'not-applicable' : 'ok';
}
