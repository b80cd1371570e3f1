import mustache from 'mustache';
import { formatDate, formatTime } from '../model/dates';
import { placeOf } from '../model/endpoint';
import { CertDeskError } from '../model/errors';
import type { Finding } from '../model/finding';

/** What a template sees: the Finding by its own names, and the derived ones. */
export type View = Finding & {
  domain: string;
  ip: string;
  place: string;
  scannedBy: string;
  scanTime: string;
  expiryDate: string;
};

export function viewOf(finding: Finding, scannedBy: string): View {
  const first = finding.endpoints[0];
  return {
    ...finding,
    domain: first?.domain ?? '',
    ip: first?.ip ?? '',
    place: first === undefined ? '' : placeOf(first),
    scannedBy,
    scanTime: formatTime(finding.scannedAt ?? finding.detectedAt),
    expiryDate: formatDate(finding.certificate.notAfter),
  };
}

/** Fills a template for a native field or plain text: values stand as they are, nothing is escaped for HTML. */
export function render(template: string, view: View): string {
  try {
    return mustache.render(template, view, undefined, { escape: String });
  } catch (error) {
    throw templateError('A template', error);
  }
}

/** Fills every text in a structure of fields, however deep. */
export function renderFields(fields: Readonly<Record<string, unknown>>, view: View): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, renderValue(value, view)]));
}

function renderValue(value: unknown, view: View): unknown {
  if (typeof value === 'string') return render(value, view);
  if (Array.isArray(value)) return value.map(item => renderValue(item, view));
  if (typeof value === 'object' && value !== null) return renderFields(value as Record<string, unknown>, view);
  return value;
}

/** @throws CertDeskError `CONFIG` naming the property whose template can't be read */
export function checkTemplate(property: string, template: string): void {
  try {
    mustache.parse(template);
  } catch (error) {
    throw templateError(property, error);
  }
}

function templateError(what: string, error: unknown): CertDeskError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CertDeskError('CONFIG', `${what}: the Mustache text can't be read (${reason}). Correct it and deploy.`);
}

/** One line: control characters and line separators become a blank (a subject is a mail header in many helpdesks). */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}
