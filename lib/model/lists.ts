/** One entry of a list as a user wrote it, with its line (from 1) for error texts. */
export interface ListEntry {
  text: string;
  line: number;
}

/**
 * A list as text: one entry a line, commas also part entries, `#` starts a comment. An array is taken as well
 * (one element, one line). Anything else is an empty list.
 */
export function parseList(value: unknown): ListEntry[] {
  return [...listEntries(value)];
}

/** The entries of `parseList` one after the other, so that a long list needs no memory of its own. */
export function* listEntries(value: unknown): Generator<ListEntry> {
  let line = 0;
  for (const content of linesOf(value)) {
    line += 1;
    for (const part of content.replace(/(^|\s)#.*\r?$/, '').split(',')) {
      const text = part.trim();
      if (text !== '') yield { text, line };
    }
  }
}

function* linesOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const element of value) yield String(element);
  if (typeof value !== 'string') return;
  let start = 0;
  for (let end = value.indexOf('\n'); end >= 0; end = value.indexOf('\n', start)) {
    yield value.slice(start, end);
    start = end + 1;
  }
  yield value.slice(start);
}

/** A test against patterns: `*` stands for anything, the whole value must match, case does not count. */
export function makeMatcher(patterns: readonly string[]): (value: string) => boolean {
  const expressions = patterns.map(pattern => {
    const source = pattern
      .split('*')
      .map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*');
    return new RegExp(`^${source}$`, 'is');
  });
  return value => expressions.some(expression => expression.test(value));
}
