import type { Peer, Step } from './peer';

/** A tag of one byte, and what it holds. */
export interface Element {
  tag: number;
  content: Buffer;
}

/** Bytes of a length in its long form; more are not needed within the bounds of a talk. */
const MAX_LENGTH_BYTES = 4;

/** The next element that comes in; lengths are definite in LDAP, in any number of bytes (RFC 4511 section 5.1). */
export function* readElement(peer: Peer): Step<Element> {
  const [tag = 0, short = 0] = yield* peer.take(2);
  if (short < 0x80) return { tag, content: yield* peer.take(short) };
  const width = short & 0x7f;
  if (width === 0 || width > MAX_LENGTH_BYTES) throw peer.malformed('a length that nobody needs');
  const length = (yield* peer.take(width)).readUIntBE(0, width);
  return { tag, content: yield* peer.take(length) };
}

/** What an element holds, when that is elements again. */
export function readElements(peer: Peer, content: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < content.length;) {
    const tag = content[at] ?? 0;
    const short = content[at + 1] ?? 0;
    const width = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + width;
    if (width > MAX_LENGTH_BYTES || start > content.length) throw peer.malformed('an element that is cut off');
    const end = start + (width === 0 ? short : content.readUIntBE(at + 2, width));
    if (end > content.length) throw peer.malformed('an element that is cut off');
    elements.push({ tag, content: content.subarray(start, end) });
    at = end;
  }
  return elements;
}
