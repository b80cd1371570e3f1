import mustache from 'mustache';
import { formatDate, formatTime } from '../model/dates';
import { placeOf } from '../model/endpoint';
import type { Finding } from '../model/finding';
import { checkTemplate } from '../model/text';

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
  checkTemplate('A template', template);
  return mustache.render(template, view, undefined, { escape: String });
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
