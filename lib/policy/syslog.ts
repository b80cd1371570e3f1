import { hostname } from 'node:os';
import { daysLeft } from '../model/dates';
import { placeOf } from '../model/endpoint';
import type { Finding, Notification } from '../model/finding';
import { oneLine } from '../model/text';
import { FACILITIES } from './syslog-facilities';
import type { SyslogSettings } from './settings';

/** RFC 5424 section 6.2.1. */
const SEVERITY = { critical: 2, error: 3, warning: 4, notice: 5 } as const;

/** Our structured data under the enterprise number that RFC 5612 keeps for documentation: CertDesk has none. */
const SD_ID = 'certdesk@32473';

/** What a receiver should at least take (RFC 5424 section 6.1), in octets. */
const MESSAGE_MAX = 2048;
/** Octets of one value, so that the structured data always fits whole. */
const VALUE_MAX = 160;
const LISTED_MAX = 5;
const BOM = '\uFEFF';

/** Where the message comes from; each printable ASCII, `-` when unknown. */
export interface SyslogOrigin {
  hostname: string;
  processId: string;
}

/** What a policy told as one RFC 5424 message, framed as RFC 6587 has it. */
export function formatSyslog(
  finding: Finding,
  notification: Notification,
  settings: SyslogSettings,
  now = new Date(),
  origin: SyslogOrigin = { hostname: hostname(), processId: String(process.pid) },
): string {
  const priority = FACILITIES.indexOf(settings.facility) * 8 + SEVERITY[severityOf(finding, now)];
  const header = [
    `<${priority}>1`,
    now.toISOString(),
    headerField(origin.hostname, 255),
    'certdesk',
    headerField(origin.processId, 128),
    finding.kind,
  ].join(' ');
  const start = `${header} ${structuredData(finding, notification, now)} `;
  return frame(cut(start + marked(describe(finding, now)), MESSAGE_MAX), settings.framing);
}

function severityOf({ kind, state, certificate }: Finding, now: Date): keyof typeof SEVERITY {
  if (state === 'cleared') return 'notice';
  if (kind === 'vulnerability') return 'error';
  return daysLeft(certificate.notAfter, now) < 0 ? 'critical' : 'warning';
}

function structuredData(finding: Finding, notification: Notification, now: Date): string {
  const { certificate, endpoints, kind, vulnerabilities = [], weakCiphers = [] } = finding;
  const places = [...new Set(endpoints.map(placeOf))];
  const values: Record<string, string> = {
    key: finding.key,
    state: finding.state,
    reason: notification.reason,
    commonName: certificate.commonName,
    serialNumber: certificate.serialNumber,
    issuer: certificate.issuer,
    notAfter: certificate.notAfter,
    daysLeft: String(daysLeft(certificate.notAfter, now)),
    places: listed(places),
    ...(kind === 'vulnerability' && {
      checks: listed(vulnerabilities.map(check => check.id)),
      weakCiphers: listed([...new Set(weakCiphers.map(cipher => cipher.name))]),
    }),
  };
  const parameters = Object.entries(values).map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return `[${[SD_ID, ...parameters].join(' ')}]`;
}

/** PARAM-VALUE: `"`, `\\` and `]` are escaped with a backslash (RFC 5424 section 6.3.3). */
function escapeValue(value: string): string {
  let escaped = '';
  let octets = 0;
  for (const character of oneLine(value)) {
    const part = character.replace(/["\\\]]/g, '\\$&');
    octets += Buffer.byteLength(part);
    if (octets > VALUE_MAX) return escaped;
    escaped += part;
  }
  return escaped;
}

function describe(finding: Finding, now: Date): string {
  const { kind, state, certificate, endpoints } = finding;
  const place = endpoints[0] === undefined ? certificate.commonName : placeOf(endpoints[0]);
  if (kind === 'vulnerability') {
    return oneLine(state === 'cleared' ? `${place} is no longer vulnerable` : `${place} is vulnerable`);
  }
  if (state === 'cleared') return oneLine(`Certificate ${certificate.commonName} was renewed`);
  const days = daysLeft(certificate.notAfter, now);
  return oneLine(`Certificate ${certificate.commonName} ${days < 0 ? 'expired' : 'expires'}, ${days} days left`);
}

/** MSG: text beyond ASCII starts with the byte order mark that says UTF-8 (RFC 5424 section 6.4). */
function marked(text: string): string {
  return /^[\x20-\x7E]*$/.test(text) ? text : BOM + text;
}

function listed(values: readonly string[]): string {
  const more = values.length - LISTED_MAX;
  return [...values.slice(0, LISTED_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

/** PRINTUSASCII without spaces; NILVALUE when nothing is left. */
function headerField(text: string, max: number): string {
  return text.replace(/[^\x21-\x7E]/g, '').slice(0, max) || '-';
}

/** At most so many octets, no character cut in two. */
function cut(text: string, max: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return text;
  let end = max;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString();
}

function frame(message: string, framing: SyslogSettings['framing']): string {
  if (framing === 'newline') return `${message}\n`;
  return framing === 'octet-counting' ? `${Buffer.byteLength(message)} ${message}` : message;
}
