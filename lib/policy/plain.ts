/**
 * Text of a certificate made harmless for one line: control and format characters (line feeds, direction overrides,
 * zero-width ones, halves of
 * surrogate pairs) become spaces, and what is longer than `max` characters is cut with an ellipsis.
 */
export function oneLine(text: string, max = 1000): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  const characters = [...clean];
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : clean;
}

/** Text as HTML text or attribute value. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
    '`': '&#96;',
    '=': '&#61;',
  };
  return text.replace(/[&<>"'`=]/g, character => entities[character] ?? '');
}

/** A copy with every text in it changed; for values that go into a template. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map(item => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)]));
}
