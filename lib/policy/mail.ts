import Mustache from 'mustache';
import { subjectOf } from '../model/subject';
import { checkTemplate, oneLine } from '../model/text';
import { formatCsv } from './csv';
import type { Told } from './digest';
import { standardHtml, standardText } from './mail-html';
import { countTold, mailRows, mailView, type MailRow } from './mail-view';
import { escapeHtml, mapTexts } from './plain';
import type { MailSettings } from './settings';

/** A message that the `e-mail` node of node-red-node-email sends as it is. */
export interface Mail {
  to: string;
  /** Subject. */
  topic: string;
  /** HTML. */
  payload: string;
  plaintext: string;
  attachments: { filename: string; content: string; contentType: string }[];
}

/** Lines longer than this make some mail servers refuse (RFC 5322 section 2.1.1: 998 octets). */
const SUBJECT_MAX = 200;

/**
 * One mail about what was told. Names in it are a certificate's, so they are escaped for HTML also where the user's
 * own body uses `{{{name}}}`, kept on one line in the subject, and are no formula in the CSV.
 * Throws CONFIG when the user's own subject or body is no Mustache.
 */
export function makeMail(
  told: readonly Told[],
  to: string,
  settings: Pick<MailSettings, 'emailSubject' | 'emailBody'>,
  context: { scannedBy: string; now: Date },
): Mail {
  const { scannedBy, now } = context;
  const rows = mailRows(told, now);
  const subject = standardSubject(told);
  const view = settings.emailSubject + settings.emailBody === '' ? {} : mailView(told, scannedBy, now);
  const topic = settings.emailSubject === '' ? subject : render('emailSubject', settings.emailSubject, view, oneLine);
  const payload =
    settings.emailBody === ''
      ? standardHtml(subject, rows, scannedBy)
      : render('emailBody', settings.emailBody, view, text => escapeHtml(oneLine(text)));
  return {
    to,
    topic: oneLine(topic, SUBJECT_MAX),
    payload,
    plaintext: standardText(subject, rows, scannedBy),
    attachments: [{ filename: 'certdesk.csv', content: csvOf(rows), contentType: 'text/csv; charset=utf-8' }],
  };
}

function render(field: string, template: string, view: unknown, change: (text: string) => string): string {
  checkTemplate(field, template);
  return Mustache.render(
    template,
    mapTexts(view, text => change(text)),
    {},
    { escape: String },
  );
}

function standardSubject(told: readonly Told[]): string {
  const { expiring, vulnerable, cleared } = countTold(told);
  const [only] = told;
  if (told.length === 1 && only !== undefined) {
    const subject = subjectOf(only.finding);
    return only.finding.state === 'cleared' ? `${subject}: over` : subject;
  }
  const parts = [
    ...(expiring > 0 ? [`${expiring} expiring`] : []),
    ...(vulnerable > 0 ? [`${vulnerable} vulnerable`] : []),
    ...(cleared > 0 ? [`${cleared} over`] : []),
  ];
  return `SSL certificates: ${parts.join(', ')}`;
}

function csvOf(rows: readonly MailRow[]): string {
  const head = ['State', 'Common name', 'Places', 'Issuer', 'Serial number', 'Expiry date', 'Days left', 'Details'];
  const lines = rows.map(row => [
    row.word,
    row.commonName,
    row.places.join('; '),
    row.issuer,
    row.serialNumber,
    row.notAfter,
    row.daysLeft,
    row.details.join('; '),
  ]);
  return formatCsv([head, ...lines]);
}
