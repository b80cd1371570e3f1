import { ByteQueue, uint, vector, WireError } from './bytes';

/** Types of handshake messages (RFC 5246 section 7.4, RFC 5077 section 3.3, RFC 6066 section 8). */
export const MESSAGE = {
  helloRequest: 0,
  serverHello: 2,
  newSessionTicket: 4,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  clientKeyExchange: 16,
  finished: 20,
  certificateStatus: 22,
} as const;

const HEADER = 4;
/** Longer than any chain that a client would take. */
const MAX_MESSAGE = 128 * 1024;

/** Puts handshake messages together, headers included, however they come cut into records. */
export class MessageReader {
  readonly #bytes = new ByteQueue();
  #wanted = HEADER;

  /** The messages that are whole now, one after the other. Throws WireError. */
  *read(content: Buffer): Generator<Buffer, void, undefined> {
    this.#bytes.add(content);
    while (this.#bytes.length >= this.#wanted) {
      const length = this.#bytes.peek().readUIntBE(1, 3);
      if (length > MAX_MESSAGE) throw new WireError('MALFORMED', `a handshake message of ${length} bytes`);
      this.#wanted = HEADER + length;
      if (this.#bytes.length < this.#wanted) return;
      const whole = this.#bytes.take(this.#wanted);
      this.#wanted = HEADER;
      yield whole;
    }
  }
}

export function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(type, 1), vector(3, body)]);
}
