import { WireError } from './bytes';

/** One record of the record layer (RFC 5246 section 6.2.1). */
export interface TlsRecord {
  type: number;
  content: Buffer;
}

export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** 2^14 and what encryption may add (RFC 5246 section 6.2.3). */
const MAX_RECORD = 2 ** 14 + 2048;
/** No flight of a real server comes near; the answer of one that does is not worth its memory. */
const MAX_TOTAL = 256 * 1024;
const HEADER = 5;
/** A server of SSLv2 alone may answer so to a TLS hello: no TLS, but no stranger either. */
const SSLV2_ERROR = 0;

/** Parts a stream of bytes into records, however it comes cut. */
export class RecordReader {
  #pending: Buffer = Buffer.alloc(0);
  #total = 0;

  /** The records that are whole now. Throws WireError. */
  push(chunk: Buffer): TlsRecord[] {
    this.#total += chunk.length;
    if (this.#total > MAX_TOTAL) throw new WireError('MALFORMED', `more than ${MAX_TOTAL} bytes of answer`);
    let bytes: Buffer = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const records: TlsRecord[] = [];
    while (bytes.length > 0) {
      checkStart(bytes, { isFirst: this.#total === bytes.length });
      if (bytes.length < HEADER) break;
      const length = bytes.readUInt16BE(3);
      if (length > MAX_RECORD) throw new WireError('MALFORMED', `a record of ${length} bytes`);
      if (bytes.length < HEADER + length) break;
      records.push({ type: bytes[0] ?? 0, content: bytes.subarray(HEADER, HEADER + length) });
      bytes = bytes.subarray(HEADER + length);
    }
    this.#pending = bytes;
    return records;
  }
}

/** As soon as two bytes are there: a content type and major version 3, or it is no TLS. */
function checkStart(bytes: Buffer, { isFirst }: { isFirst: boolean }): void {
  const [type = 0, major = 3] = bytes;
  if (type >= 20 && type <= 24 && major === 3) return;
  if (!isFirst) throw new WireError('MALFORMED', 'what follows a record is no record');
  if ((type & 0x80) !== 0 && bytes[2] === SSLV2_ERROR) throw new WireError('MALFORMED', 'the answer is an SSLv2 ERROR');
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
