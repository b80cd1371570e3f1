import { formatDate } from '../model/dates';
import { placeOf } from '../model/endpoint';
import type { Finding } from '../model/finding';
import type { Check, Cipher } from '../model/report';
import { CHECK_IDS, isCheckId, type CheckId } from '../model/checks';
import { displayName, subjectOf } from '../model/subject';
import { oneLine } from '../model/text';
import { ADVICE } from './advice';
import type { TicketSettings } from './settings';
import { render, viewOf, type View } from './template';

/** With one of these found, the ticket also names signature algorithm and expiry date. */
const WITH_CERTIFICATE: ReadonlySet<CheckId> = new Set<CheckId>([
  'revoked-ocsp',
  'revoked-crl',
  'heartbleed',
  'poodle-ssl',
  'poodle-tls',
]);

export interface Texts {
  subject: string;
  body: string;
}

/** Subject and body of a new ticket: the user's own by Mustache, or the standard ones of docs/contract.md. */
export function ticketTexts(
  finding: Finding,
  settings: Pick<TicketSettings, 'subject' | 'body'>,
  scannedBy: string,
): Texts {
  const view = viewOf(finding, scannedBy);
  return {
    subject: oneLine(settings.subject === '' ? subjectOf(finding) : render(settings.subject, view)),
    body: settings.body === '' ? standardBody(finding, view) : render(settings.body, view),
  };
}

/** Weak suites (IANA names) and check ids that make up the results of a vulnerability Finding. */
export function resultsOf(finding: Finding): string[] {
  return [...cipherNames(finding.weakCiphers ?? []), ...vulnerable(finding).map(check => check.id)];
}

/**
 * The latest results for an open ticket: the whole block again, then what changed.
 * @param before results told last; null when nobody remembers
 */
export function resultsNote(finding: Finding, before: readonly string[] | null, scannedBy: string): string {
  const added = [...changes(resultsOf(finding), before), ...(before === null ? [] : ['']), ...additions(finding)];
  return withAdded(vulnerabilityBlock(finding, viewOf(finding, scannedBy)), trimEnd(added));
}

/** Names the places that the ticket does not name yet. */
export function placesNote(finding: Finding, places: readonly string[], scannedBy: string): string {
  const name = oneLine(finding.certificate.commonName);
  return [
    `The SSL Certificate ${name} is also served at:`,
    ...places.map(place => oneLine(place)),
    `Expiry Date: ${formatDate(finding.certificate.notAfter)}`,
    scannedByLine(scannedBy),
  ].join('\n');
}

/** Says that the problem is over, and by what. */
export function clearedNote(finding: Finding, scannedBy: string): string {
  const { replacedBy } = finding;
  const renewed =
    replacedBy === undefined
      ? []
      : [`Renewed: serial number ${replacedBy.serialNumber}, valid until ${formatDate(replacedBy.notAfter)}.`];
  return [overLine(finding), ...renewed, scannedByLine(scannedBy)].join('\n');
}

function overLine({ kind, certificate, endpoints: [first], replacedBy }: Finding): string {
  const name = oneLine(certificate.commonName);
  if (kind === 'expiry')
    return `The SSL Certificate ${name} (serial number ${certificate.serialNumber}) is no longer in use.`;
  const place = oneLine(first === undefined ? name : placeOf(first));
  // With a renewal only the certificate of the key is gone: what is still found has a key, and a ticket, of its own.
  return replacedBy === undefined
    ? `Nothing of what was reported is found any more at ${place}.`
    : `The certificate at ${place} was renewed. What is still found there is in a ticket of its own.`;
}

/** Says which ticket goes on in the place of one that a lost answer made too many. */
export function duplicateNote(kept: { number: string; url: string | null }): string {
  const where = kept.url === null ? '' : ` (${kept.url})`;
  return `Duplicate of ticket ${kept.number}${where}, which is kept up to date.`;
}

/** A follow-up's body: why there is a second ticket, after the block. */
export function followUpBody(body: string, before: { number: string; url: string | null }, why: string): string {
  const where = before.url === null ? '' : ` (${before.url})`;
  return `${body}\n\nFollow-up of ticket ${before.number}${where}, which ${why}.`;
}

function standardBody(finding: Finding, view: View): string {
  const block = finding.kind === 'expiry' ? expiryBlock(finding, view) : vulnerabilityBlock(finding, view);
  return withAdded(block, additions(finding));
}

function expiryBlock(finding: Finding, view: View): string[] {
  const name = oneLine(finding.certificate.commonName);
  return [
    `The SSL Certificate ${name} expiring soon, please take care`,
    `Common Name:${name}`,
    `Expiry Date: ${view.expiryDate}`,
    scannedByLine(view.scannedBy),
  ];
}

function vulnerabilityBlock(finding: Finding, view: View): string[] {
  const names = cipherNames(finding.weakCiphers ?? []);
  const needsCertificate = vulnerable(finding).some(check => WITH_CERTIFICATE.has(check.id));
  return [
    oneLine(displayName(finding)),
    oneLine(finding.certificate.commonName),
    view.ip,
    ...(names.length === 0 ? [] : ['Weak ciphers in use, which should be removed', ...names]),
    ...(needsCertificate
      ? [`Signature Algorithm: ${finding.certificate.signatureAlgorithm}`, `Expiry Date: ${view.expiryDate}`]
      : []),
    `Scan Time: ${view.scanTime}`,
    scannedByLine(view.scannedBy),
  ];
}

function scannedByLine(scannedBy: string): string {
  return `Scanned by: ${scannedBy}`;
}

/** What CertDesk adds: all places where there is more than one, and what to do about each check. */
function additions(finding: Finding): string[] {
  const places = [...new Set(finding.endpoints.map(placeOf))];
  const listed = places.length > 1 ? ['Places:', ...places.map(place => oneLine(place))] : [];
  const checks = vulnerable(finding);
  const advice = [...new Set(checks.map(check => `${check.id}: ${ADVICE[check.id]}`))];
  return [...listed, ...(listed.length > 0 && advice.length > 0 ? [''] : []), ...advice];
}

function changes(now: readonly string[], before: readonly string[] | null): string[] {
  if (before === null) return [];
  const line = (label: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${label}: ${names.join(', ')}`];
  return [
    ...line(
      'New',
      now.filter(name => !before.includes(name)),
    ),
    ...line(
      'Gone',
      before.filter(name => !now.includes(name)),
    ),
    ...line(
      'Still there',
      now.filter(name => before.includes(name)),
    ),
  ];
}

function withAdded(block: readonly string[], added: readonly string[]): string {
  return [...block, ...(added.length === 0 ? [] : ['', ...added])].join('\n');
}

function trimEnd(lines: readonly string[]): string[] {
  const end = lines.findLastIndex(line => line !== '');
  return lines.slice(0, end + 1);
}

function vulnerable(finding: Finding): Check[] {
  return (finding.vulnerabilities ?? [])
    .filter(check => check.verdict === 'vulnerable' && isCheckId(check.id))
    .sort((a, b) => CHECK_IDS.indexOf(a.id) - CHECK_IDS.indexOf(b.id));
}

/** IANA's names, each once, insecure before weak, then in the order of the suite table: SSLv2 first, then by number. */
function cipherNames(ciphers: readonly Cipher[]): string[] {
  const worstFirst = ['insecure', 'weak', 'secure', 'recommended'];
  const rank = (cipher: Cipher): string =>
    `${worstFirst.indexOf(cipher.class)} ${cipher.id.length > 4 ? 0 : 1} ${cipher.id.toUpperCase()}`;
  const ordered = [...ciphers].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  return [...new Set(ordered.map(cipher => cipher.name))];
}
