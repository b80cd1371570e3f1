/** One DER element: tag, where its content lies, where the next element starts. */
export interface DerElement {
  tag: number;
  content: Buffer;
  end: number;
}

/** Reads the element at `offset` (X.690 definite lengths). Throws RangeError where the bytes don't hold one. */
export function readDer(bytes: Buffer, offset = 0): DerElement {
  const tag = bytes[offset];
  let length = bytes[offset + 1];
  if (tag === undefined || length === undefined) throw new RangeError('DER: cut off');
  let start = offset + 2;
  if (length & 0x80) {
    const count = length & 0x7f;
    if (count === 0 || count > 4 || start + count > bytes.length) throw new RangeError('DER: bad length');
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new RangeError('DER: cut off');
  return { tag, content: bytes.subarray(start, end), end };
}

/** The elements inside a constructed element's content. */
export function readDerSequence(content: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < content.length;) {
    const element = readDer(content, offset);
    elements.push(element);
    offset = element.end;
  }
  return elements;
}

/** Dotted form of an OBJECT IDENTIFIER's content. */
export function readOid(content: Buffer): string {
  const arcs: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) arcs.push(...(value < 80 ? [Math.floor(value / 40), value % 40] : [2, value - 80]));
    else arcs.push(value);
    value = 0;
  }
  return arcs.join('.');
}
