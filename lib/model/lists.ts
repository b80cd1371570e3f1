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
  const lines = typeof value === 'string' ? value.split(/\r?\n/) : Array.isArray(value) ? value.map(String) : [];
  return lines.flatMap((content, index) =>
    content
      .replace(/(^|\s)#.*$/, '')
      .split(',')
      .map(text => ({ text: text.trim(), line: index + 1 }))
      .filter(entry => entry.text !== ''),
  );
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
