import { createDiffieHellman, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { der, integer, oid, pem, sequence } from './der';

/** A CA and server certificates of it; PEM texts. */
export interface Issued {
  ca: string;
  servers: { cert: string; key: string }[];
}

/** Keys are shared by many certificates: making one takes longer than everything else here. */
const KEYS = 8;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * So many different certificates (RSA-2048, 90 days, a wildcard name each) from one CA, in a second or two. Written as
 * DER by hand, since making thousands with pkijs takes minutes.
 */
export function issueMany(count: number, nameOf: (index: number) => string): Issued {
  const caKey = rsaKey();
  const caName = nameDer('CertDesk Bench CA');
  const ca = certificate({
    serial: 1,
    subject: caName,
    issuer: caName,
    key: caKey,
    signer: caKey,
    extensions: CA_ONLY,
  });
  const keys = Array.from({ length: Math.min(KEYS, count) }, rsaKey);
  const pems = keys.map(key => key.export({ type: 'pkcs8', format: 'pem' }).toString());
  const servers = Array.from({ length: count }, (_, index) => {
    const key = keys[index % keys.length] ?? caKey;
    const name = nameOf(index);
    const extensions = [extendedKeyUsage(), subjectAltName([name])];
    const cert = certificate({
      serial: 1000 + index,
      subject: nameDer(name),
      issuer: caName,
      key,
      signer: caKey,
      extensions,
    });
    return { cert, key: pems[index % keys.length] ?? '' };
  });
  return { ca, servers };
}

/** Diffie-Hellman parameters of a server (PKCS #3), with a prime of so many bits made now. */
export function dhParameters(bits: number): string {
  const group = createDiffieHellman(bits);
  return pem('DH PARAMETERS', sequence(integer(group.getPrime()), integer(group.getGenerator())));
}

function rsaKey(): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

interface Draft {
  serial: number;
  subject: Buffer;
  issuer: Buffer;
  key: KeyObject;
  signer: KeyObject;
  extensions: Buffer[];
}

function certificate({ serial, subject, issuer, key, signer, extensions }: Draft): string {
  const from = Date.now() - DAY_MS;
  const tbs = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.from((0x4000_0000_0000n + BigInt(serial)).toString(16), 'hex')),
    SHA256_WITH_RSA,
    issuer,
    sequence(utcTime(from), utcTime(from + 90 * DAY_MS)),
    subject,
    publicKeyOf(key),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', tbs, signer);
  return pem('CERTIFICATE', sequence(tbs, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature)));
}

function publicKeyOf(key: KeyObject): Buffer {
  const bytes = key.export({ type: 'pkcs1', format: 'der' });
  // RSAPublicKey is the second and third number of RSAPrivateKey (RFC 8017 appendix A.1)
  const numbers = readNumbers(bytes);
  return sequence(RSA_ENCRYPTION, der(0x03, Buffer.from([0]), sequence(...numbers.slice(1, 3))));
}

/** The INTEGERs inside a SEQUENCE, each with its header. */
function readNumbers(bytes: Buffer): Buffer[] {
  const numbers: Buffer[] = [];
  for (let at = headerLength(bytes); at < bytes.length;) {
    const rest = bytes.subarray(at);
    const header = headerLength(rest);
    const length = header === 2 ? (rest[1] ?? 0) : rest.readUIntBE(2, header - 2);
    numbers.push(rest.subarray(0, header + length));
    at += header + length;
  }
  return numbers;
}

function headerLength(bytes: Buffer): number {
  const first = bytes[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function nameDer(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function utcTime(at: number): Buffer {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  return der(0x17, Buffer.from(`${date.slice(2).replaceAll('-', '')}${time.slice(0, 8).replaceAll(':', '')}Z`));
}

function extension(oidHex: string, value: Buffer): Buffer {
  return sequence(oid(oidHex), der(0x04, value));
}

function subjectAltName(names: string[]): Buffer {
  return extension('551d11', sequence(...names.map(name => der(0x82, Buffer.from(name)))));
}

function extendedKeyUsage(): Buffer {
  return extension('551d25', sequence(oid('2b06010505070301')));
}

const SHA256_WITH_RSA = sequence(oid('2a864886f70d01010b'), der(0x05));
const RSA_ENCRYPTION = sequence(oid('2a864886f70d010101'), der(0x05));
const CA_ONLY = [extension('551d13', sequence(der(0x01, Buffer.from([0xff]))))];
