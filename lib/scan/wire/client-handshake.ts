import { ByteReader, vector, WireError } from './bytes';
import { cipherSpec } from './cipher-spec';
import type { SentHello } from './client-hello';
import { exchangeKeys } from './key-exchange';
import { deriveKeys, masterSecret } from './keys';
import { MESSAGE, message, MessageReader } from './messages';
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

const CHANGE_CIPHER_SPEC = Buffer.from([1]);
/** A warning of SSL 3.0 (RFC 6101 section 5.4.2). */
const NO_CERTIFICATE = Buffer.from([1, 41]);

/**
 * The rest of a handshake of SSL 3.0 to TLS 1.2 after the server's first flight, without sockets: `request` is what the
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
    if (spec === null || (protocol === 'SSLv3' && spec.macHash !== 'sha1')) {
      throw new WireError('MALFORMED', `${suite.name} cannot be spoken here`);
    }
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
    const saysNoCertificate = protocol === 'SSLv3' && asksForCertificate(flight);
    this.request = Buffer.concat([
      ...(saysNoCertificate ? [this.layer.record(RECORD.alert, NO_CERTIFICATE)] : []),
      this.layer.record(RECORD.handshake, Buffer.concat(part)),
      this.layer.record(RECORD.changeCipherSpec, CHANGE_CIPHER_SPEC),
      this.layer.sealed(RECORD.handshake, finished),
    ]);
    this.#messages.push(finished);
  }

  /** True once the server's Finished came and is right. Throws WireError where it is not. */
  take({ type, content }: TlsRecord): boolean {
    if (type !== RECORD.handshake) return false;
    for (const one of this.#incoming.read(content)) {
      if (one[0] === MESSAGE.newSessionTicket) {
        const body = new ByteReader(one.subarray(4));
        body.number(4); // its lifetime
        this.ticket = body.vector(2);
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

/** Whether the server wants a certificate of the client; many go on without. */
export function asksForCertificate(flight: ServerFlight): boolean {
  return flight.messages.some(one => one[0] === MESSAGE.certificateRequest);
}

/**
 * What the client says before ChangeCipherSpec. Where a certificate is asked for, an empty list (RFC 5246 section 7.4.6);
 * not in SSL 3.0, where an alert may stand for it (RFC 6101 section 5.6.6).
 */
export function clientPart(flight: ServerFlight, keyExchange: Buffer): Buffer[] {
  const part = message(MESSAGE.clientKeyExchange, keyExchange);
  return asksForCertificate(flight) && flight.protocol !== 'SSLv3'
    ? [message(MESSAGE.certificate, vector(3)), part]
    : [part];
}
