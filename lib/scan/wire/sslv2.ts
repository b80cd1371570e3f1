import { ByteQueue, ByteReader, random, uint, vector, WireError } from './bytes';

/** The SSL 2.0 protocol specification (Netscape, 1995), "Handshake protocol messages". */
const CLIENT_HELLO = 1;
const SERVER_HELLO = 4;
const SSLV2 = 0x0002;
/** A record of two header bytes, which has no padding, holds 15 bits of length. */
const TWO_BYTE_HEADER = 0x8000;

/** One record with a CLIENT-HELLO that offers `kinds`, three bytes each. */
export function sslv2Hello(kinds: Buffer): Buffer {
  const challenge = random(16);
  const message = Buffer.concat([
    Buffer.from([CLIENT_HELLO]),
    uint(SSLV2, 2),
    uint(kinds.length, 2),
    uint(0, 2),
    uint(challenge.length, 2),
    kinds,
    challenge,
  ]);
  const record = vector(2, message);
  record.writeUInt16BE(TWO_BYTE_HEADER | message.length, 0);
  return record;
}

export interface Sslv2ServerHello {
  /** Code points of the kinds that the server takes; one hello lists them all. */
  kinds: number[];
  /** DER; null where the server sent none. */
  certificate: Buffer | null;
}

/** Longer than any SERVER-HELLO with one certificate; a record cannot hold more. */
const MAX_LENGTH = 0x7fff;

/** Collects a server's answer to an SSLv2 hello. */
export class Sslv2Reader {
  readonly #bytes = new ByteQueue();
  /** Nothing can be said of what is there before it is as long as this. */
  #wanted = 3;

  /**
   * The SERVER-HELLO, once it is whole; null while bytes are missing; `refused` for any other answer (an SSLv2 ERROR,
   * a TLS alert, text), since only a SERVER-HELLO says that SSLv2 is spoken. Throws WireError where a SERVER-HELLO
   * does not add up.
   */
  push(chunk: Buffer): Sslv2ServerHello | 'refused' | null {
    this.#bytes.add(chunk);
    if (this.#bytes.length < this.#wanted) return null;
    const bytes = this.#bytes.peek();
    const header = bytes.readUInt16BE(0);
    // A header of three bytes (with padding) is legal for encrypted records only.
    if ((header & TWO_BYTE_HEADER) === 0 || bytes[2] !== SERVER_HELLO) return 'refused';
    const length = header & MAX_LENGTH;
    this.#wanted = 2 + length;
    if (bytes.length < this.#wanted) return null;
    return parseServerHello(bytes.subarray(2, this.#wanted));
  }
}

/** SERVER-HELLO: hit, certificate type, version, three lengths, then certificate, kinds, connection id. */
function parseServerHello(message: Buffer): Sslv2ServerHello {
  const reader = new ByteReader(message);
  reader.take(3);
  const version = reader.number(2);
  if (version !== SSLV2) throw new WireError('MALFORMED', `an SSLv2 SERVER-HELLO of version ${version}`);
  const certificateLength = reader.number(2);
  const kindsLength = reader.number(2);
  reader.number(2);
  const certificate = reader.take(certificateLength);
  if (kindsLength % 3 !== 0) throw new WireError('MALFORMED', 'the kinds of an SSLv2 SERVER-HELLO are cut off');
  const kinds = new ByteReader(reader.take(kindsLength));
  const codes: number[] = [];
  while (kinds.remaining > 0) codes.push(kinds.number(3));
  return { kinds: codes, certificate: certificate.length > 0 ? certificate : null };
}
