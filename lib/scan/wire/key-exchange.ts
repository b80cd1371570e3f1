import {
  constants,
  createDiffieHellman,
  createECDH,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import type { Suite } from '../suites/suites';
import { ByteReader, random, uint, vector, WireError } from './bytes';
import type { TlsProtocol } from './names';
import type { ServerFlight } from './server-flight';

/** What both sides know after a key exchange, and how the client says its part. */
export interface KeyExchange {
  premaster: Buffer;
  /** Body of the ClientKeyExchange. */
  body: Buffer;
}

/** Groups in which a key can be agreed here; a hello that leads to a handshake offers no other. */
export const AGREEABLE_GROUPS: readonly number[] = [0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x001a, 0x001b, 0x001c];

/** Whether a suite agrees on keys in a way that is known here, with a server that has a certificate. */
export function isAgreeable({ kex, auth, family }: Pick<Suite, 'kex' | 'auth' | 'family'>): boolean {
  return family === 'classic' && ['RSA', 'ECDHE', 'DHE'].includes(kex) && ['RSA', 'ECDSA', 'DSS'].includes(auth);
}

/** The group in which a server of ECDHE has made its key; null for one without a name. */
export function groupOf({ serverKeyExchange }: ServerFlight, { kex }: Pick<Suite, 'kex'>): number | null {
  if (kex !== 'ECDHE' || serverKeyExchange === null || serverKeyExchange.length < 3) return null;
  return serverKeyExchange[0] === NAMED_CURVE ? serverKeyExchange.readUInt16BE(1) : null;
}

/** IANA's number of a group as node:crypto calls it; those of RFC 7748 have an object of their own there. */
const CURVES: Readonly<Record<number, string>> = {
  0x0017: 'prime256v1',
  0x0018: 'secp384r1',
  0x0019: 'secp521r1',
  0x001a: 'brainpoolP256r1',
  0x001b: 'brainpoolP384r1',
  0x001c: 'brainpoolP512r1',
};
/** SubjectPublicKeyInfo up to the key itself (RFC 8410 section 4). */
const MONTGOMERY = {
  0x001d: { name: 'x25519', spki: Buffer.from('302a300506032b656e032100', 'hex'), length: 32 },
  0x001e: { name: 'x448', spki: Buffer.from('3042300506032b656f033900', 'hex'), length: 56 },
} as const;

export interface KeyExchangeInput {
  /** The version that the hello offered, which RSA repeats inside the secret (RFC 5246 section 7.4.7.1). */
  offered: number;
  protocol: TlsProtocol;
  suite: Suite;
  flight: ServerFlight;
}

/**
 * The client's part for static RSA, ECDHE and DHE. Signatures are not checked: who answers is the server that is looked
 * at, whoever it is. Throws WireError where the server's part cannot be used.
 */
export function exchangeKeys({ offered, protocol, suite, flight }: KeyExchangeInput): KeyExchange {
  try {
    if (suite.kex === 'RSA') return byRsa(offered, protocol, rsaKey(flight));
    if (suite.kex === 'ECDHE') return byCurve(serverPart(flight));
    if (suite.kex === 'DHE') return byPrime(serverPart(flight));
  } catch (thrown) {
    if (thrown instanceof WireError) throw thrown;
    throw new WireError('MALFORMED', `the key exchange failed (${thrown instanceof Error ? thrown.message : 'error'})`);
  }
  throw new WireError('MALFORMED', `${suite.name} has a key exchange that is not known here`);
}

/** The server's RSA key for encryption. Throws WireError. */
export function rsaKey(flight: ServerFlight): KeyObject {
  const [certificate] = flight.certificates;
  if (certificate === undefined) throw new WireError('MALFORMED', 'no certificate came');
  let key: KeyObject;
  try {
    key = new X509Certificate(certificate).publicKey;
  } catch {
    throw new WireError('MALFORMED', 'the certificate cannot be read');
  }
  if (key.asymmetricKeyType !== 'rsa') throw new WireError('MALFORMED', `its key is ${key.asymmetricKeyType}, not rsa`);
  return key;
}

/** SSLv3 has no length before the secret (RFC 6101 section 5.6.7.1, as everybody understood it). */
export function rsaBody(protocol: TlsProtocol, encrypted: Buffer): Buffer {
  return protocol === 'SSLv3' ? encrypted : vector(2, encrypted);
}

function byRsa(offered: number, protocol: TlsProtocol, key: KeyObject): KeyExchange {
  const premaster = Buffer.concat([uint(offered, 2), random(46)]);
  const encrypted = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, premaster);
  return { premaster, body: rsaBody(protocol, encrypted) };
}

function serverPart({ serverKeyExchange }: ServerFlight): ByteReader {
  if (serverKeyExchange === null) throw new WireError('MALFORMED', 'no ServerKeyExchange came');
  return new ByteReader(serverKeyExchange);
}

const NAMED_CURVE = 3;

/** RFC 8422 section 5.4 and 5.7. */
function byCurve(part: ByteReader): KeyExchange {
  if (part.number(1) !== NAMED_CURVE) throw new WireError('MALFORMED', 'its curve has no name');
  const group = part.number(2);
  const point = part.vector(1);
  if (group === 0x001d || group === 0x001e) return byMontgomery(group, point);
  const curve = CURVES[group];
  if (curve === undefined) throw new WireError('MALFORMED', `it chose the group ${group}, which was not offered`);
  const own = createECDH(curve);
  const share = own.generateKeys();
  return { premaster: own.computeSecret(point), body: vector(1, share) };
}

function byMontgomery(group: keyof typeof MONTGOMERY, point: Buffer): KeyExchange {
  const { name, spki, length } = MONTGOMERY[group];
  const own = name === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('x448');
  const share = own.publicKey.export({ type: 'spki', format: 'der' }).subarray(-length);
  const publicKey = createPublicKey({ key: Buffer.concat([spki, point]), type: 'spki', format: 'der' });
  return { premaster: diffieHellman({ privateKey: own.privateKey, publicKey }), body: vector(1, share) };
}

/** RFC 5246 section 7.4.3; leading zeros of the secret do not count (section 8.1.2). */
function byPrime(part: ByteReader): KeyExchange {
  const prime = part.vector(2);
  const own = createDiffieHellman(prime, part.vector(2));
  const share = own.generateKeys();
  const secret = own.computeSecret(part.vector(2));
  const first = secret.findIndex(byte => byte !== 0);
  return { premaster: secret.subarray(Math.max(first, 0)), body: vector(2, share) };
}
