import { setImmediate } from 'node:timers/promises';
import { readOid } from '../../model/der';
import { expect, partsOf, readTime, TAG } from './der-parts';
import { REMOVE_FROM_CRL } from './reasons';

/** When and why a certificate was revoked; `reason` is a CRLReason, null where none is given. */
export interface Revocation {
  at: number;
  reason: number | null;
}

/** Other work of the thread goes on after so many entries. */
const ENTRIES_AT_ONCE = 10_000;
/** RFC 5280 allows 20 bytes. */
const MAX_SERIAL = 64;
/** Of a record, beside the serial number: its length before it, seconds and reason after it. */
const RECORD = 6;
const NO_REASON = 0xff;
/** What an entry of a list takes at least, about; and how many of them shall share a bucket. */
const ENTRY = 32;
const PER_BUCKET = 4;
const MAX_BUCKETS = 1 << 17;

/**
 * The serial numbers of a revocation list with time and reason, in one buffer, ordered by the last bytes of the number:
 * 22 to 26 bytes each. Objects for half a million of them would take hundreds of megabytes.
 */
export class RevokedSerials {
  private constructor(
    readonly count: number,
    /** Where each bucket starts in `records`, and at last where all end. */
    private readonly starts: Uint32Array,
    private readonly records: Buffer,
  ) {}

  /** What it takes in memory. */
  get bytes(): number {
    return this.starts.byteLength + this.records.length;
  }

  /**
   * Reads the content of `revokedCertificates` (RFC 5280 section 5.1.2.6). Rejects with RangeError where it is
   * malformed, or an entry has an extension that must be understood and is not.
   */
  static async read(content: Buffer): Promise<RevokedSerials> {
    const buckets = Math.min(MAX_BUCKETS, 2 ** Math.ceil(Math.log2(1 + content.length / ENTRY / PER_BUCKET)));
    const starts = new Uint32Array(buckets + 1);
    let count = 0;
    await eachEntry(content, ({ start, end }) => {
      count += 1;
      const next = bucketOf(content, end, buckets) + 1;
      starts[next] = (starts[next] ?? 0) + (end - start) + RECORD;
    });
    for (let bucket = 1; bucket <= buckets; bucket += 1) {
      starts[bucket] = (starts[bucket] ?? 0) + (starts[bucket - 1] ?? 0);
    }
    const records = Buffer.alloc(starts[buckets] ?? 0);
    const free = starts.slice();
    await eachEntry(content, ({ start, end, entryEnd }) => {
      const { at, reason } = readRest(content, end, entryEnd);
      const bucket = bucketOf(content, end, buckets);
      let to = free[bucket] ?? 0;
      to = records.writeUInt8(end - start, to);
      to += content.copy(records, to, start, end);
      to = records.writeUInt32BE(at / 1000, to);
      free[bucket] = records.writeUInt8(reason ?? NO_REASON, to);
    });
    return new RevokedSerials(count, starts, records);
  }

  /** Null where the number, without leading zeros, is not listed. */
  find(serialNumber: Buffer): Revocation | null {
    const { starts, records } = this;
    const bucket = bucketOf(serialNumber, serialNumber.length, starts.length - 1);
    const bucketEnd = starts[bucket + 1] ?? 0;
    for (let at = starts[bucket] ?? 0; at < bucketEnd;) {
      const start = at + 1;
      const end = start + records.readUInt8(at);
      at = end + RECORD - 1;
      if (!records.subarray(start, end).equals(serialNumber)) continue;
      const reason = records.readUInt8(end + 4);
      if (reason === REMOVE_FROM_CRL) continue;
      return { at: records.readUInt32BE(end) * 1000, reason: reason === NO_REASON ? null : reason };
    }
    return null;
  }
}

/** Where the serial number of an entry starts, without leading zeros, where it ends, and where the entry does. */
interface Entry {
  start: number;
  end: number;
  entryEnd: number;
}

async function eachEntry(content: Buffer, visit: (entry: Entry) => void): Promise<void> {
  const entry = { start: 0, end: 0, entryEnd: 0 };
  let count = 0;
  for (let offset = 0; offset < content.length; offset = entry.entryEnd) {
    const inside = startOf(content, offset, TAG.sequence);
    entry.entryEnd = inside + lengthAt(content, offset, inside);
    entry.start = startOf(content, inside, TAG.integer);
    entry.end = entry.start + lengthAt(content, inside, entry.start);
    if (entry.entryEnd > content.length || entry.end > entry.entryEnd) throw new RangeError('CRL: cut off');
    while (entry.start < entry.end - 1 && content[entry.start] === 0) entry.start += 1;
    if (entry.end - entry.start > MAX_SERIAL) throw new RangeError('CRL: a serial number that long is none');
    visit(entry);
    count += 1;
    if (count % ENTRIES_AT_ONCE === 0) await setImmediate();
  }
}

/** Where the content of the element at `offset` starts; as in `readDer`, but without an object for each. */
function startOf(bytes: Buffer, offset: number, tag: number): number {
  const first = bytes[offset + 1];
  if (bytes[offset] !== tag || first === undefined) throw new RangeError(`CRL: tag ${tag} is missing`);
  if (first < 0x80) return offset + 2;
  const start = offset + 2 + (first & 0x7f);
  if (first === 0x80 || first > 0x84 || start > bytes.length) throw new RangeError('CRL: bad length');
  return start;
}

function lengthAt(bytes: Buffer, offset: number, start: number): number {
  return start === offset + 2 ? (bytes[offset + 1] ?? 0) : bytes.readUIntBE(offset + 2, start - offset - 2);
}

/** By the last bytes of the number, which differ whether numbers are random or counted. */
function bucketOf(bytes: Buffer, end: number, buckets: number): number {
  const number = (bytes[end - 1] ?? 0) | ((bytes[end - 2] ?? 0) << 8) | ((bytes[end - 3] ?? 0) << 16);
  return number & (buckets - 1);
}

/** An entry's only extension in nearly all lists: the reason. Its code follows. */
const REASON_ALONE = Buffer.from('300c300a0603551d1504030a01', 'hex');
const REASON = '2.5.29.21';

/** revocationDate and crlEntryExtensions. */
function readRest(content: Buffer, offset: number, end: number): Revocation {
  const timeEnd = startOf(content, offset, content[offset] ?? 0) + (content[offset + 1] ?? 0);
  if (timeEnd > end) throw new RangeError('CRL: cut off');
  const at = readEntryTime(content, offset, timeEnd);
  if (timeEnd === end) return { at, reason: null };
  const isUsual = end - timeEnd === REASON_ALONE.length + 1;
  if (isUsual && content.compare(REASON_ALONE, 0, REASON_ALONE.length, timeEnd, end - 1) === 0) {
    return { at, reason: content[end - 1] ?? null };
  }
  return { at, reason: readReason(content.subarray(timeEnd, end)) };
}

const Z = 0x5a;

/** A UTCTime without a text for each; anything else in the usual way. */
function readEntryTime(content: Buffer, offset: number, end: number): number {
  if (content[offset] !== TAG.utcTime || end - offset !== 15 || content[end - 1] !== Z) {
    const [time] = partsOf(content.subarray(offset, end));
    return readTime(expect(time, content[offset] ?? 0));
  }
  const two = (at: number): number => {
    const tens = (content[offset + at] ?? 0) - 0x30;
    const ones = (content[offset + at + 1] ?? 0) - 0x30;
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9) throw new RangeError('CRL: bad time');
    return tens * 10 + ones;
  };
  const year = two(2);
  return Date.UTC(year < 50 ? 2000 + year : 1900 + year, two(4) - 1, two(6), two(8), two(10), two(12));
}

function readReason(extensions: Buffer): number | null {
  let reason: number | null = null;
  for (const { content } of partsOf(expect(partsOf(extensions)[0], TAG.sequence).content)) {
    const [id, ...rest] = partsOf(content);
    const isReason = readOid(expect(id, TAG.oid).content) === REASON;
    const isCritical = rest[0]?.tag === TAG.boolean && rest[0].content[0] !== 0;
    if (isCritical && !isReason) throw new RangeError('CRL: an entry has an extension that nobody understands');
    const value = isReason ? partsOf(expect(rest.at(-1), TAG.octetString).content)[0] : undefined;
    if (isReason) reason = expect(value, TAG.enumerated).content[0] ?? null;
  }
  return reason;
}
