import { ByteQueue, WireError } from './bytes';

/** One record of the record layer (RFC 5246 section 6.2.1). */
export interface TlsRecord {
  type: number;
  content: Buffer;
}

export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const;

/** 2^14 and what encryption may add (RFC 5246 section 6.2.3). */
const MAX_RECORD = 2 ** 14 + 2048;
/** No flight of a real server comes near; the answer of one that does is not worth its memory. */
const MAX_TOTAL = 256 * 1024;
const HEADER = 5;
/** A server of SSLv2 alone may answer so to a TLS hello: no TLS, but no stranger either. */
const SSLV2_ERROR = 0;

/** Parts a stream of bytes into records, however it comes cut. */
export class RecordReader {
  readonly #bytes = new ByteQueue();
  #total = 0;
  #isFirst = true;
  /** Nothing can be said of what is there before it is as long as this. */
  #wanted = 1;

  /**
   * The records that are whole now, one after the other, so that the WireError over one that does not add up comes after
   * those before it, however the bytes come cut.
   */
  *read(chunk: Buffer): Generator<TlsRecord, void, undefined> {
    const room = MAX_TOTAL - this.#total;
    this.#bytes.add(chunk.subarray(0, room));
    this.#total += Math.min(chunk.length, room);
    for (let record = this.#next(); record !== null; record = this.#next()) yield record;
    if (chunk.length > room) throw new WireError('MALFORMED', `more than ${MAX_TOTAL} bytes of answer`);
  }

  #next(): TlsRecord | null {
    while (this.#bytes.length >= this.#wanted) {
      const bytes = this.#bytes.peek();
      if (bytes.length < HEADER) {
        this.#wanted = checkStart(bytes, { isFirst: this.#isFirst });
        continue;
      }
      checkStart(bytes, { isFirst: this.#isFirst });
      const length = bytes.readUInt16BE(3);
      if (length > MAX_RECORD) throw new WireError('MALFORMED', `a record of ${length} bytes`);
      this.#wanted = HEADER + length;
      if (bytes.length < this.#wanted) return null;
      this.#isFirst = false;
      const record = this.#bytes.take(this.#wanted);
      this.#wanted = 1;
      return { type: record[0] ?? 0, content: record.subarray(HEADER) };
    }
    return null;
  }
}

/**
 * A content type and major version 3, or it is no TLS, which is told as soon as can be. Returns how many bytes it takes
 * to say more.
 */
function checkStart(bytes: Buffer, { isFirst }: { isFirst: boolean }): number {
  const [type = 0, major = 3] = bytes;
  if (type >= 20 && type <= 24 && major === 3) return bytes.length === 1 ? 2 : HEADER;
  if (!isFirst) throw new WireError('MALFORMED', 'what follows a record is no record');
  const mayBeSslv2 = (type & 0x80) !== 0;
  if (mayBeSslv2 && bytes.length < 3) return 3;
  if (mayBeSslv2 && bytes[2] === SSLV2_ERROR) throw new WireError('MALFORMED', 'the answer is an SSLv2 ERROR');
  throw new WireError('NOT_TLS', describeText(bytes));
}

/** What kind of text it is, without repeating what the other side sent. */
function describeText(bytes: Buffer): string {
  const text = bytes.subarray(0, 16).toString('latin1');
  if (/^HTTP\//.test(text)) return 'the answer is HTTP';
  if (/^SSH-/.test(text)) return 'the answer is SSH';
  if (/^<(!doctype|html)/i.test(text)) return 'the answer is HTML';
  if (/^(220|554)[ -]/.test(text)) return 'the answer is the greeting of a mail or FTP server';
  if (/^\* OK/.test(text)) return 'the answer is the greeting of an IMAP server';
  if (/^\+OK/.test(text)) return 'the answer is the greeting of a POP3 server';
  return 'the answer is no TLS record';
}
