import type { MailRow } from './mail-view';
import { oneLine } from '../model/text';
import { escapeHtml } from './plain';

/** Beyond so many days a bar is full. */
const FULL_BAR_DAYS = 90;
const LISTED_MAX = 20;

/**
 * The standard mail as HTML that mail programs show alike: tables, inline styles, no style sheet, no image.
 * Colours are readable on light and on dark ground, since a program may turn either into the other.
 */
export function standardHtml(summary: string, rows: readonly MailRow[], scannedBy: string): string {
  const head = ['', 'Certificate', 'Places', 'Expiry date', 'Days left', 'Details']
    .map(title => `<th align="left" style="${CELL}">${title}</th>`)
    .join('');
  return [
    '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>',
    '<body style="font-family:sans-serif;font-size:14px">',
    `<p>${inline(summary)}</p>`,
    `<table cellspacing="0" cellpadding="0" border="0" style="border-collapse:collapse"><tr>${head}</tr>`,
    ...rows.map(htmlRow),
    '</table>',
    `<p style="color:#808080">Scanned by: ${inline(scannedBy)}</p>`,
    '</body></html>',
  ].join('\n');
}

/** The same as plain text. */
export function standardText(summary: string, rows: readonly MailRow[], scannedBy: string): string {
  const lines = rows.map(row => {
    const places = listed(row.places).join(', ');
    const details = row.details.length === 0 ? '' : `\n    ${listed(row.details).join(', ')}`;
    const head = `${row.word}: ${oneLine(row.commonName)}, ${row.expiryDate} (${row.daysLeft} days left)`;
    return `${head}\n    ${places}${details}`;
  });
  return [summary, '', ...lines, '', `Scanned by: ${scannedBy}`, ''].join('\n');
}

const CELL = 'padding:4px 10px;border-bottom:1px solid #a0a0a0;vertical-align:top';

function htmlRow(row: MailRow): string {
  const colour = colourOf(row);
  const cells = [
    `<b style="color:${colour}">${inline(row.word)}</b>`,
    inline(row.commonName),
    listed(row.places).map(escapeHtml).join('<br>'),
    inline(row.expiryDate),
    bar(row.daysLeft, colour),
    listed(row.details).map(escapeHtml).join('<br>'),
  ];
  return `<tr>${cells.map(cell => `<td style="${CELL}">${cell}</td>`).join('')}</tr>`;
}

function bar(daysLeft: number, colour: string): string {
  const percent = Math.round((Math.min(Math.max(daysLeft, 0), FULL_BAR_DAYS) / FULL_BAR_DAYS) * 100);
  const filled = `<td width="${Math.max(percent, 1)}%" bgcolor="${colour}" style="height:8px;font-size:1px">&nbsp;</td>`;
  const empty = percent > 99 ? '' : '<td bgcolor="#c0c0c0" style="height:8px;font-size:1px">&nbsp;</td>';
  const table = `<table width="90" cellspacing="0" cellpadding="0" border="0"><tr>${filled}${empty}</tr></table>`;
  return `${daysLeft}${table}`;
}

function colourOf({ word, daysLeft }: MailRow): string {
  if (word === 'renewed' || word === 'fixed' || word === 'over') return '#2e8b57';
  return word === 'vulnerable' || daysLeft <= 7 ? '#d9534f' : '#c77c11';
}

function inline(text: string): string {
  return escapeHtml(oneLine(text));
}

function listed(values: readonly string[]): string[] {
  const more = values.length - LISTED_MAX;
  const shown = values.slice(0, LISTED_MAX).map(value => oneLine(value));
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}
