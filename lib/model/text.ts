import mustache from 'mustache';
import { CertDeskError } from './errors';

/**
 * Text of a certificate made harmless for one line: control and format characters (line feeds, direction overrides,
 * zero-width ones, halves of surrogate pairs) become a space, and what is longer than `max` characters is cut with an
 * ellipsis.
 */
export function oneLine(text: string, max = 1000): string {
  const clean = text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const characters = [...clean];
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : clean;
}

/** Refuses a text that is no Mustache. Throws CONFIG naming the property. */
export function checkTemplate(property: string, template: string): void {
  try {
    mustache.parse(template);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CertDeskError('CONFIG', `${property} is no Mustache text: ${reason}. Correct it in the node's dialog.`, {
      cause,
    });
  }
}
