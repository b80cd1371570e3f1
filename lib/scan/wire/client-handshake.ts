import { uint, vector, WireError } from './bytes';
import { cipherSpec } from './cipher-spec';
import type { SentHello } from './client-hello';
import { exchangeKeys } from './key-exchange';
import { deriveKeys, masterSecret } from './keys';
import type { TlsProtocol } from './names';
import { prfHashOf, verifyData, type PrfHash } from './prf';
import { RecordLayer } from './record-layer';
import { RECORD, type TlsRecord } from './records';
import type { ServerFlight } from './server-flight';
import type { Suite } from '../suites/suites';

export interface ClientHandshakeOptions {
  hello: SentHello;
  flight: ServerFlight;
  protocol: TlsProtocol;
  suite: Suite;
}

/** Types of handshake messages (RFC 5246 section 7.4, RFC 5077 section 3.3). */
export const MESSAGE = {
  helloRequest: 0,
  serverHello: 2,
  newSessionTicket: 4,
  certificate: 11,
  certificateRequest: 13,
  clientKeyExchange: 16,
  finished: 20,
} as const;
const CHANGE_CIPHER_SPEC = Buffer.from([1]);

/**
 * The rest of a handshake of TLS 1.0 to 1.2 after the server's first flight, without sockets: `request` is what the
 * client says, `take` reads what the server answers.
 */
export class ClientHandshake {
  /** ClientKeyExchange, ChangeCipherSpec, Finished; ready for the wire. */
  readonly request: Buffer;
  readonly layer: RecordLayer;
  /** What the client's Finished said, for a renegotiation (RFC 5746). */
  readonly clientVerifyData: Buffer;
  /** What the server gave to take the session up again (RFC 5077). */
  ticket: Buffer | null = null;
  readonly #hash: PrfHash;
  readonly #master: Buffer;
  readonly #messages: Buffer[];
  readonly #incoming = new MessageReader();

  /** Throws WireError where the suite or the server's part of the key exchange cannot be used. */
  constructor({ hello, flight, protocol, suite }: ClientHandshakeOptions) {
    const spec = cipherSpec(suite);
    if (spec === null) throw new WireError('MALFORMED', `${suite.name} cannot be spoken here`);
    if (flight.compression !== 0) throw new WireError('MALFORMED', 'the server chose to compress');
    const exchange = exchangeKeys({ offered: hello.message.readUInt16BE(4), protocol, suite, flight });
    this.#hash = prfHashOf(protocol, suite.name);
    this.#master = masterSecret(this.#hash, exchange.premaster, hello.random, flight.random);
    const keys = deriveKeys({
      protocol,
      spec,
      hash: this.#hash,
      master: this.#master,
      clientRandom: hello.random,
      serverRandom: flight.random,
    });
    this.layer = new RecordLayer({ protocol, spec, keys });
    const part = clientPart(flight, exchange.body);
    this.#messages = [hello.message, ...flight.messages, ...part];
    this.clientVerifyData = verifyData(this.#hash, this.#master, 'client', this.#messages);
    const finished = message(MESSAGE.finished, this.clientVerifyData);
    this.request = Buffer.concat([
      this.layer.record(RECORD.handshake, Buffer.concat(part)),
      this.layer.record(RECORD.changeCipherSpec, CHANGE_CIPHER_SPEC),
      this.layer.sealed(RECORD.handshake, finished),
    ]);
    this.#messages.push(finished);
  }

  /** True once the server's Finished came and is right. Throws WireError where it is not. */
  take({ type, content }: TlsRecord): boolean {
    if (type !== RECORD.handshake) return false;
    for (const one of this.#incoming.push(content)) {
      if (one[0] === MESSAGE.newSessionTicket) {
        this.ticket = one.subarray(10, 10 + one.readUInt16BE(8)); // header, lifetime in four bytes, length in two
      } else if (one[0] === MESSAGE.finished) {
        const expected = verifyData(this.#hash, this.#master, 'server', this.#messages);
        if (!one.subarray(4).equals(expected)) throw new WireError('MALFORMED', 'its Finished is wrong');
        return true;
      } else {
        throw new WireError('MALFORMED', `message ${one[0]} where a Finished belongs`);
      }
      this.#messages.push(one);
    }
    return false;
  }
}

/** What the client says before ChangeCipherSpec; no certificate where one is asked for (RFC 5246 section 7.4.6). */
export function clientPart(flight: ServerFlight, keyExchange: Buffer): Buffer[] {
  const isAsked = flight.messages.some(one => one[0] === MESSAGE.certificateRequest);
  const part = message(MESSAGE.clientKeyExchange, keyExchange);
  return isAsked ? [message(MESSAGE.certificate, vector(3)), part] : [part];
}

export function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(type, 1), vector(3, body)]);
}

/** Puts handshake messages together, headers included, however they come cut into records. */
export class MessageReader {
  #pending: Buffer = Buffer.alloc(0);

  push(content: Buffer): Buffer[] {
    let bytes = Buffer.concat([this.#pending, content]);
    const whole: Buffer[] = [];
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUIntBE(1, 3)) {
      const end = 4 + bytes.readUIntBE(1, 3);
      whole.push(bytes.subarray(0, end));
      bytes = bytes.subarray(end);
    }
    this.#pending = bytes;
    return whole;
  }
}
