import { uint } from '../wire/bytes';
import { Peer, quoted } from './peer';
import { StarttlsError, type Talk } from './starttls';

const CAPABILITY = { longPassword: 1 << 0, protocol41: 1 << 9, ssl: 1 << 11, secureConnection: 1 << 15 } as const;
const ERR = 0xff;
const VERSION_10 = 10;
const VERSION_9 = 9;
const MAX_GREETING = 4 * 1024;
const MAX_PACKET = 1 << 24;
const UTF8 = 33;

/**
 * What a client sends in the place of its login to start TLS; then TLS starts, and the server does not answer before.
 * The flag of a long password stands for "I am no MariaDB" there, and keeps the last bytes zero.
 */
const SSL_REQUEST = Buffer.concat([
  Buffer.from([32, 0, 0, 1]),
  littleEndian(CAPABILITY.longPassword | CAPABILITY.protocol41 | CAPABILITY.ssl | CAPABILITY.secureConnection),
  littleEndian(MAX_PACKET),
  Buffer.from([UTF8]),
  Buffer.alloc(23),
]);

/**
 * MySQL and MariaDB: the server's handshake packet tells its capabilities, and SSLRequest follows where TLS is among
 * them (MySQL's internals documentation, "Protocol::HandshakeV10" and "Protocol::SSLRequest"; MariaDB's "Connection").
 * Version 9 of the protocol, of servers before 3.21, has no TLS.
 */
export function* mysql(): Talk {
  const peer = new Peer('MySQL');
  const header = yield* peer.peek(5);
  const length = header.readUIntLE(0, 3);
  const [, , , sequence, version = 0] = header;
  if (sequence !== 0 || length > MAX_GREETING || ![VERSION_9, VERSION_10, ERR].includes(version)) throw peer.foreign();
  const packet = (yield* peer.take(4 + length)).subarray(4);
  if (version === ERR) {
    throw new StarttlsError('STARTTLS_REFUSED', `it answered the connection with ${errorOf(packet)}`);
  }
  // a server version that ends with a zero byte, thread id (4), authentication data (8), a zero byte, capabilities
  const at = packet.indexOf(0, 1) + 1 + 4 + 8 + 1;
  if (version === VERSION_10 && (packet.indexOf(0, 1) < 0 || at + 2 > packet.length)) {
    throw peer.malformed('a handshake that is cut off');
  }
  if (version === VERSION_9 || (packet.readUInt16LE(at) & CAPABILITY.ssl) === 0) {
    throw new StarttlsError('STARTTLS_NOT_OFFERED', 'its capabilities do not have TLS');
  }
  return peer.finish(SSL_REQUEST);
}

/** A number, and a text that may begin with # and the SQLSTATE. */
function errorOf(packet: Buffer): string {
  if (packet.length < 3) return 'an error';
  return `error ${packet.readUInt16LE(1)}, ${quoted(packet.toString('latin1', 3))}`;
}

function littleEndian(value: number): Buffer {
  return uint(value, 4).reverse();
}
