import type { Connection } from './connection';
import type { Opened } from './dialogue';
import { asksForCertificate, ClientHandshake } from './wire/client-handshake';
import { alertName, VERSION_CODES } from './wire/names';
import type { RecordLayer } from './wire/record-layer';
import { RECORD, type RecordReader, type TlsRecord } from './wire/records';

/** A handshake of our own that did not come to its end; the message is half a sentence on why. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/** Why nothing more came. */
export type Ending = 'timeout' | 'closed' | 'reset' | 'stopped';

/** A record, decrypted where it was encrypted, or why none came. */
export type Incoming = TlsRecord | Ending;

/** Reads records off a connection whose first answer is known. Who opened the connection ends it. */
export class RecordSource {
  /** Those of the last bytes that nobody took yet. */
  #records: Iterator<TlsRecord> = [][Symbol.iterator]();

  constructor(
    private readonly connection: Connection,
    private readonly reader: Pick<RecordReader, 'read'>,
  ) {}

  /** Sends bytes as they are. */
  sendAsIs(bytes: Buffer): void {
    this.connection.send(bytes);
  }

  /**
   * The next record, before `deadline` by performance.now() (default: in the scan's timeout), in however many pieces it
   * comes. Rejects with WireError where it cannot be read.
   */
  async next(deadline = performance.now() + this.connection.timeoutMs): Promise<Incoming> {
    for (;;) {
      const next = this.#records.next();
      if (next.done !== true) return next.value;
      const received = await this.connection.receive(Math.max(0, deadline - performance.now()));
      if (typeof received === 'string') return received;
      this.#records = this.reader.read(received);
    }
  }

  /**
   * Shows `look` one record after the other until it finds something, for `ms` (default: the scan's timeout), however
   * much comes. Rejects as `next` does, and with what `look` throws.
   */
  async find<T>(look: (record: TlsRecord) => T | null, ms = this.connection.timeoutMs): Promise<T | Ending> {
    const deadline = performance.now() + ms;
    for (;;) {
      const record = await this.next(deadline);
      if (typeof record === 'string') return record;
      const found = look(record);
      if (found !== null) return found;
      if (performance.now() > deadline) return 'timeout';
    }
  }
}

/** A connection under keys that we know, from the ClientKeyExchange on. */
export class Session extends RecordSource {
  constructor(
    connection: Connection,
    readonly layer: RecordLayer,
  ) {
    super(connection, layer);
  }

  /** Sends a record under the keys. */
  send(type: number, content: Buffer): void {
    this.sendAsIs(this.layer.sealed(type, content));
  }
}

/** What came of a whole handshake. */
export interface Finished {
  session: Session;
  /** Milliseconds from our Finished to the server's: a round trip and what the server needs for its part. */
  roundTripMs: number;
  /** See ClientHandshake. */
  ticket: Buffer | null;
  clientVerifyData: Buffer;
}

/**
 * Completes a handshake of SSL 3.0 to TLS 1.2 whose first flight has come: no client certificate, no extended master secret.
 * Rejects with HandshakeError or WireError, whose messages say in half a sentence why.
 */
export async function completeHandshake({ connection, hello, flight, protocol, suite }: Opened): Promise<Finished> {
  // a check that asks about TLS must not be answered by what holds in SSL 3.0
  if (protocol === 'SSLv3' && hello.message.readUInt16BE(4) !== VERSION_CODES.SSLv3) {
    throw new HandshakeError('the server chose SSLv3 where a later version was offered');
  }
  const handshake = new ClientHandshake({ hello, flight, protocol, suite });
  const session = new Session(connection, handshake.layer);
  const sentAt = performance.now();
  session.sendAsIs(handshake.request);
  const after = asksForCertificate(flight) ? ' after it asked for a certificate of the client' : '';
  const end = await session.find(record => {
    if (record.type === RECORD.alert && record.content[0] !== WARNING) {
      throw new HandshakeError(`the handshake ended with alert ${alertName(record.content[1] ?? 0)}${after}`);
    }
    return handshake.take(record) ? FINISHED : null;
  });
  if (end !== FINISHED) throw new HandshakeError(`the handshake ${ENDINGS[end]}${after}`);
  const { ticket, clientVerifyData } = handshake;
  return { session, roundTripMs: performance.now() - sentAt, ticket, clientVerifyData };
}

const FINISHED = 'finished';
/** Level of an alert after which the connection goes on. */
const WARNING = 1;
const ENDINGS = {
  timeout: 'did not go on in time',
  closed: 'was closed without an alert',
  reset: 'was reset',
  stopped: 'was stopped',
} as const satisfies Record<Ending, string>;
