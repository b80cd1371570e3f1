import type { Connection } from './connection';
import type { Opened } from './dialogue';
import { ClientHandshake } from './wire/client-handshake';
import { alertName } from './wire/names';
import type { RecordLayer } from './wire/record-layer';
import { RECORD, type RecordReader, type TlsRecord } from './wire/records';

/** A handshake of our own that did not come to its end; the message is half a sentence on why. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/** A record, decrypted where it was encrypted, or why none came. */
export type Incoming = TlsRecord | 'timeout' | 'closed' | 'reset' | 'stopped';

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

  /** The next record, within `ms` (default: the scan's timeout). Rejects with WireError where it cannot be read. */
  async next(ms?: number): Promise<Incoming> {
    for (;;) {
      const next = this.#records.next();
      if (next.done !== true) return next.value;
      const received = await this.connection.receive(ms);
      if (typeof received === 'string') return received;
      this.#records = this.reader.read(received);
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
 * Completes a handshake of TLS 1.0 to 1.2 whose first flight has come: no client certificate, no extended master secret.
 * Rejects with HandshakeError or WireError, whose messages say in half a sentence why.
 */
export async function completeHandshake({ connection, hello, flight, protocol, suite }: Opened): Promise<Finished> {
  const handshake = new ClientHandshake({ hello, flight, protocol, suite });
  const session = new Session(connection, handshake.layer);
  const sentAt = performance.now();
  session.sendAsIs(handshake.request);
  for (;;) {
    const record = await session.next();
    if (typeof record === 'string') throw new HandshakeError(`the handshake ${ENDINGS[record]}`);
    if (record.type === RECORD.alert && record.content[0] !== WARNING) {
      throw new HandshakeError(`the handshake ended with alert ${alertName(record.content[1] ?? 0)}`);
    }
    if (handshake.take(record)) break;
  }
  const { ticket, clientVerifyData } = handshake;
  return { session, roundTripMs: performance.now() - sentAt, ticket, clientVerifyData };
}

/** Level of an alert after which the connection goes on. */
const WARNING = 1;
const ENDINGS = {
  timeout: 'did not go on in time',
  closed: 'was closed without an alert',
  reset: 'was reset',
  stopped: 'was stopped',
} as const satisfies Record<Exclude<Incoming, TlsRecord>, string>;
