import { oneLine } from '../model/text';

/** Excel's limit of characters in a cell (support.microsoft.com, "Excel specifications and limits"). */
const CELL_MAX = 32_767;

/**
 * CSV (RFC 4180) that a spreadsheet shows as text: a field that a spreadsheet would take for a formula gets an
 * apostrophe before it (OWASP, CSV Injection). Numbers stay numbers.
 */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map(row => `${row.map(formatField).join(',')}\r\n`).join('');
}

function formatField(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = oneLine(value, CELL_MAX - 1);
  const isFormula = /^[\s'"]*[=+\-@\uFF0B\uFF0D\uFF1D\uFF20]/.test(text);
  return `"${(isFormula ? `'${text}` : text).replaceAll('"', '""')}"`;
}
