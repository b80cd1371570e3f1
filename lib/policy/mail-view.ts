import { daysLeft, formatDate, formatTime } from '../model/dates';
import { placeOf } from '../model/endpoint';
import type { Finding } from '../model/finding';
import { sortTold, type Told } from './digest';

/** One line of a mail's table, as plain text. */
export interface MailRow {
  /** `expires`, `expired`, `vulnerable`, `renewed`, `fixed`, `over`: what there is to say. */
  word: string;
  commonName: string;
  /** Places without repetition, as `domain@ip`. */
  places: string[];
  issuer: string;
  serialNumber: string;
  /** ISO 8601. */
  notAfter: string;
  expiryDate: string;
  daysLeft: number;
  /** Checks and suites of a vulnerability, what replaced a certificate. */
  details: string[];
  reason: string;
}

/** Most urgent first. */
export function mailRows(told: readonly Told[], now: Date): MailRow[] {
  return sortTold(told).map(({ finding, notification }) => {
    const { certificate } = finding;
    return {
      word: wordFor(finding, now),
      commonName: certificate.commonName,
      places: [...new Set(finding.endpoints.map(placeOf))],
      issuer: certificate.issuer,
      serialNumber: certificate.serialNumber,
      notAfter: certificate.notAfter,
      expiryDate: formatDate(certificate.notAfter),
      daysLeft: daysLeft(certificate.notAfter, now),
      details: detailsOf(finding),
      reason: notification.reason,
    };
  });
}

/** What the user's own subject and body see: totals, the rows with their Findings, and the first Finding's own names. */
export function mailView(told: readonly Told[], scannedBy: string, now: Date): Record<string, unknown> {
  const rows = mailRows(told, now);
  const items = sortTold(told).map(({ finding, notification }, index) => ({
    ...finding,
    ...rows[index],
    notification,
    domain: finding.endpoints[0]?.domain ?? '',
    ip: finding.endpoints[0]?.ip ?? '',
    place: rows[index]?.places[0] ?? '',
    scanTime: formatTime(finding.scannedAt ?? finding.detectedAt),
  }));
  return { ...items[0], ...countTold(told), count: told.length, items, scannedBy };
}

export function countTold(told: readonly Told[]): { expiring: number; vulnerable: number; cleared: number } {
  const count = (isCounted: (finding: Finding) => boolean): number =>
    told.filter(({ finding }) => isCounted(finding)).length;
  return {
    expiring: count(({ kind, state }) => kind === 'expiry' && state !== 'cleared'),
    vulnerable: count(({ kind, state }) => kind === 'vulnerability' && state !== 'cleared'),
    cleared: count(({ state }) => state === 'cleared'),
  };
}

function wordFor({ kind, state, certificate, replacedBy }: Finding, now: Date): string {
  if (state === 'cleared') return replacedBy !== undefined ? 'renewed' : kind === 'vulnerability' ? 'fixed' : 'over';
  if (kind === 'vulnerability') return 'vulnerable';
  return Date.parse(certificate.notAfter) <= now.getTime() ? 'expired' : 'expires';
}

function detailsOf({ state, vulnerabilities = [], weakCiphers = [], replacedBy }: Finding): string[] {
  if (state === 'cleared')
    return replacedBy === undefined ? [] : [`now valid until ${formatDate(replacedBy.notAfter)}`];
  return [...new Set([...vulnerabilities.map(check => check.id), ...weakCiphers.map(cipher => cipher.name)])];
}
