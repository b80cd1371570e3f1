import { readDer, type DerElement } from '../../model/der';

/** A DER element with its own bytes, tag and length included. */
export interface Part extends DerElement {
  raw: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  enumerated: 0x0a,
  oid: 0x06,
  sequence: 0x30,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** Tag of `[n]`, constructed or EXPLICIT. */
export const context = (n: number): number => 0xa0 | n;
/** Tag of `[n] IMPLICIT` of a primitive type. */
export const contextPrimitive = (n: number): number => 0x80 | n;

/** More parts than this in one element are nobody's; lists of revoked certificates are walked in another way. */
const MAX_PARTS = 1000;

/** The elements inside a constructed element. Throws RangeError where the bytes don't hold them. */
export function partsOf(content: Buffer): Part[] {
  const parts: Part[] = [];
  for (let offset = 0; offset < content.length;) {
    const element = readDer(content, offset);
    parts.push({ ...element, raw: content.subarray(offset, element.end) });
    offset = element.end;
    if (parts.length > MAX_PARTS) throw new RangeError('DER: too many parts');
  }
  return parts;
}

/** The parts of the one element that `bytes` are; nothing may follow it. */
export function partsOfWhole(bytes: Buffer, tag: number = TAG.sequence): Part[] {
  const whole = readDer(bytes);
  if (whole.end !== bytes.length) throw new RangeError('DER: bytes after the end');
  return partsOf(expect(whole, tag).content);
}

/** `part` when it is there and of that tag. Throws RangeError otherwise. */
export function expect<T extends DerElement>(part: T | undefined, tag: number): T {
  if (part?.tag !== tag) throw new RangeError(`DER: tag ${tag} is missing`);
  return part;
}

/** An INTEGER's magnitude without leading zeros, so that serial numbers compare however they were written. */
export function withoutZeros(content: Buffer): Buffer {
  let start = 0;
  while (start < content.length - 1 && content[start] === 0) start += 1;
  return content.subarray(start);
}

/** Milliseconds of a UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 wants them. Throws RangeError for others. */
export function readTime({ tag, content }: DerElement): number {
  const text = content.toString('latin1');
  const isLong = tag === TAG.generalizedTime;
  if (!isLong && tag !== TAG.utcTime) throw new RangeError('DER: no time');
  const [, year = '', ...rest] = (isLong ? LONG : SHORT).exec(text) ?? [];
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number);
  const fullYear = isLong ? Number(year) : Number(year) + (Number(year) < 50 ? 2000 : 1900);
  const time = Date.UTC(fullYear, month - 1, day, hour, minute, second);
  if (year === '' || Number.isNaN(time)) throw new RangeError('DER: bad time');
  return time;
}

const SHORT = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const LONG = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Writes one element. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  if (length < 0x10000) return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
  throw new RangeError('DER: too long to be written here');
}
