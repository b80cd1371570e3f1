const NOTE = '\n[cut here: the rest is longer than this helpdesk takes]';

/** Text of at most `max` UTF-16 units, with a visible note where something is missing. */
export function cutText(text: string, max: number): string {
  return text.length <= max ? text : `${head(text, max - NOTE.length)}${NOTE}`;
}

/** One line of at most `max` UTF-16 units, with an ellipsis where something is missing. */
export function cutLine(text: string, max: number): string {
  return text.length <= max ? text : `${head(text, max - 1)}…`;
}

/** Never ends in half a surrogate pair. */
function head(text: string, length: number): string {
  const cut = text.slice(0, Math.max(0, length));
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
