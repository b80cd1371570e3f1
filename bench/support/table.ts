/** One line: what was measured, what came out, beside it the bar and what others need. */
export interface Row {
  what: string;
  figure: string;
  bar?: string;
  peer?: string;
}

/** Prints rows as a Markdown table, so that docs/benchmarks.md can take them as they are. */
export function printTable(title: string, rows: readonly Row[]): void {
  const lines = [
    ['', 'CertDesk', 'bar', 'others'],
    ...rows.map(({ what, figure, bar = '', peer = '' }) => [what, figure, bar, peer]),
  ];
  const widths = [0, 1, 2, 3].map(column => Math.max(3, ...lines.map(line => (line[column] ?? '').length)));
  const print = (cells: string[]): void =>
    console.log(`| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  console.log(`\n### ${title}\n`);
  const [head = [], ...body] = lines;
  print(head);
  print(widths.map(width => '-'.repeat(width)));
  body.forEach(print);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function milliseconds(ms: number): string {
  return `${ms.toFixed(2)} ms`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(1)} x`;
}
