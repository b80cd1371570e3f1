import { StarttlsError } from './starttls';

/** Far more than any protocol here says before TLS, long banners of FTP servers included. */
const MAX_BYTES = 16 * 1024;
const MAX_LINES = 96;
const MAX_QUOTED = 80;
const LF = 0x0a;

/** A step of a talk that gives a `T`; see `Talk` for what is yielded. */
export type Step<T> = Generator<Buffer | null, T, Buffer>;

/** The other side of one talk: what it said and nobody has read yet, within bounds. */
export class Peer {
  #unread: Buffer = Buffer.alloc(0);
  /** How much of the unread is known to be text without an end of line. */
  #checked = 0;
  #received = 0;
  #lines = 0;

  /** `protocol` is what it should speak, for messages. */
  constructor(readonly protocol: string) {}

  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /** What is unread begins as one of the other protocols known here do. */
  get isForeign(): boolean {
    return nameOther(this.#unread.toString('latin1')) !== undefined;
  }

  /** Sends, and waits for the first bytes of the answer. An answer that was there before the question is none. */
  *say(request: string | Buffer): Step<void> {
    if (this.hasUnread) throw new StarttlsError('MALFORMED', 'it spoke before it was asked');
    this.#push(yield typeof request === 'string' ? Buffer.from(`${request}\r\n`, 'latin1') : request);
  }

  /** The next line without its end; a lone LF ends one as well. Bytes that no text has are another protocol's. */
  *line(): Step<string> {
    for (;;) {
      const end = this.#unread.indexOf(LF, this.#checked);
      const upTo = end < 0 ? this.#unread.length : end;
      if (hasControls(this.#unread.toString('latin1', this.#checked, upTo))) {
        throw this.#lines === 0 ? this.foreign() : this.malformed('bytes that are no text');
      }
      this.#checked = upTo;
      if (end >= 0) {
        this.#lines += 1;
        if (this.#lines > MAX_LINES) throw new StarttlsError('MALFORMED', `it sent more than ${MAX_LINES} lines`);
        const text = this.#unread.toString('latin1', 0, end);
        this.#unread = this.#unread.subarray(end + 1);
        this.#checked = 0;
        return text.replace(/\r$/, '');
      }
      this.#push(yield null);
    }
  }

  /** The next `length` bytes. */
  *take(length: number): Step<Buffer> {
    const bytes = yield* this.peek(length);
    this.#unread = this.#unread.subarray(length);
    return bytes;
  }

  /** The next `length` bytes, which stay unread. */
  *peek(length: number): Step<Buffer> {
    if (length > MAX_BYTES) throw this.malformed(`an answer of ${length} bytes`);
    while (this.#unread.length < length) this.#push(yield null);
    return this.#unread.subarray(0, length);
  }

  /**
   * Ends the talk, with `last` for the server to have before TLS. What came after the reply that lets TLS start was sent
   * in the clear, by the server or by somebody in between, and must not be taken for a part of TLS (the trick of
   * CVE-2011-0411 and CVE-2021-23222).
   */
  finish(last: Buffer | null = null): Buffer | null {
    if (this.hasUnread) throw new StarttlsError('MALFORMED', 'bytes in the clear came after the reply that starts TLS');
    return last;
  }

  /** Its first bytes are of another protocol: `seen`, by default what is unread. */
  foreign(seen = this.#unread.toString('latin1')): StarttlsError {
    const other = nameOther(seen) ?? `no ${this.protocol}: ${quoted(seen)}`;
    return new StarttlsError('WRONG_PROTOCOL', `it speaks ${other}`);
  }

  /** A line that has no business here: of another protocol where it is the first. */
  unexpected(line: string): StarttlsError {
    return this.#lines === 1 ? this.foreign(line) : this.malformed(quoted(line));
  }

  malformed(what: string): StarttlsError {
    return new StarttlsError('MALFORMED', `it sent ${what}, which is no ${this.protocol}`);
  }

  #push(chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#received > MAX_BYTES) throw new StarttlsError('MALFORMED', `it sent more than ${MAX_BYTES} bytes`);
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
  }
}

/** Another protocol that is known by its first bytes. */
function nameOther(bytes: string): string | undefined {
  // an alert is what a server that expects TLS at once says to anything else
  if (isTlsRecord(bytes)) return 'TLS from the first byte';
  return ['HTTP', 'SSH'].find(name => bytes.startsWith(name));
}

function isTlsRecord(bytes: string): boolean {
  return bytes[1] === '\x03' && bytes[0] !== undefined && bytes[0] >= '\x14' && bytes[0] <= '\x17';
}

/** What a server said, fit for a sentence: one line, printable, short. */
export function quoted(text: string): string {
  const [first = ''] = text.trim().split(/[\r\n]/, 1);
  const printable = first.replace(/[^\x20-\x7e]/g, '?').replaceAll('"', "'");
  return `"${printable.length > MAX_QUOTED ? `${printable.slice(0, MAX_QUOTED)}…` : printable}"`;
}

/** Other than tab and CR. */
function hasControls(text: string): boolean {
  return [...text].some(char => char < ' ' && char !== '\t' && char !== '\r');
}
