import { CertDeskError } from '../model/errors';
import type { Page, PageQuery } from './repository';

const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 1_000;

/** How many items a page has: 1 to 1,000, 100 unless asked otherwise. */
export function limitOf(query: PageQuery): number {
  const asked = Math.trunc(query.limit ?? DEFAULT_LIMIT);
  return Number.isNaN(asked) ? DEFAULT_LIMIT : Math.min(HIGHEST_LIMIT, Math.max(1, asked));
}

/** The sort values of the last row shown: a place between rows, so that inserts and deletes don't move a page. */
function writeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Null without a cursor; `BAD_MESSAGE` for one that `writeCursor` did not make for `count` values. */
export function readCursor(cursor: string | undefined, count: number): string[] | null {
  if (cursor === undefined || cursor === '') return null;
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(values) && values.length === count && values.every(value => typeof value === 'string')) {
      return values;
    }
  } catch {
    // Not JSON: refused below like any other text that is none of ours.
  }
  throw new CertDeskError('BAD_MESSAGE', 'The page asked for does not exist. Start again without "after".');
}

/** A page from `limit + 1` rows; the row too many only tells that there is a next page. */
export function makePage<R, T>(
  rows: R[],
  limit: number,
  options: { total: number; cursorOf: (row: R) => string[]; toItem: (row: R) => T },
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(options.toItem),
    total: options.total,
    next: rows.length > limit && last !== undefined ? writeCursor(options.cursorOf(last)) : null,
  };
}
