import type { Peer, Step } from './peer';

/** A start or end tag; its name is without a prefix. */
export interface Tag {
  name: string;
  isEnd: boolean;
  /** `<name/>`, which has no end tag. */
  isEmpty: boolean;
  /** As they stand there. */
  attributes: string;
}

const LESS_THAN = 0x3c;
const TAG = /^<(\/)?(?:[\w.-]+:)?([\w.-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/)?>$/;

/**
 * The next tag of a stream; text between tags and the XML declaration are passed over. As much of XML as a stream may
 * have: no comment, no document type, no other instruction (RFC 6120 section 11.1).
 */
export function* readTag(peer: Peer): Step<Tag> {
  for (;;) {
    while ((yield* peer.peek(1))[0] !== LESS_THAN) yield* peer.take(1);
    const text = yield* readToEnd(peer);
    if (/^<\?xml\s[^<]*\?>$/.test(text)) continue;
    const [, end, name, attributes = '', empty] = TAG.exec(text) ?? [];
    if (name === undefined) throw peer.malformed('something that is no tag');
    return { name, isEnd: end !== undefined, isEmpty: empty !== undefined, attributes };
  }
}

/** From `<` to the `>` that is not in a quoted value. */
function* readToEnd(peer: Peer): Step<string> {
  let text = '';
  let quote = '';
  for (;;) {
    const char = (yield* peer.take(1)).toString('latin1');
    text += char;
    if (quote === '' && char === '>') return text;
    if (quote === '') quote = char === '"' || char === "'" ? char : '';
    else if (char === quote) quote = '';
  }
}
