import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** One DER element, for certificates, lists and answers of every kind, those that nobody should issue included. */
export function der(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const length: number[] = [];
  for (let rest = content.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  const header = content.length < 0x80 ? [content.length] : [0x80 + length.length, ...length];
  return Buffer.concat([Buffer.of(tag, ...header), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const integer = (hex: string): Buffer => der(0x02, Buffer.from(hex, 'hex'));
export const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const bits = (bytes: Uint8Array): Buffer => der(0x03, Buffer.of(0), bytes);
export const tagged = (n: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 + n, ...parts);
export const uri = (url: string): Buffer => der(0x86, url);

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap(arc => {
    const groups = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) groups.unshift(128 + (high % 128));
    return groups;
  });
  return der(0x06, Buffer.from(bytes));
}

/** GeneralizedTime. */
export function longTime(time: Date): Buffer {
  return der(0x18, `${time.toISOString().replace(/\D/g, '').slice(0, 14)}Z`);
}

/** UTCTime. */
export function shortTime(time: Date): Buffer {
  return der(0x17, `${time.toISOString().replace(/\D/g, '').slice(2, 14)}Z`);
}

export function extension(id: string, value: Uint8Array, { isCritical = false } = {}): Buffer {
  return sequence(oid(id), ...(isCritical ? [der(0x01, Buffer.of(0xff))] : []), octets(value));
}

export function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

export type KeyKind = 'rsa' | 'ec' | 'ed25519';

export function makeKey(kind: KeyKind): KeyObject {
  if (kind === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

export function publicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** Of RSA 2048, P-256 and Ed25519. */
const KEY_SIZES: Readonly<Record<string, number>> = { rsa: 270, ec: 65, ed25519: 32 };

/** The bits of a public key, which OCSP hashes. */
export function keyBits(key: KeyObject): Buffer {
  const info = publicKeyInfo(key);
  // SEQUENCE { AlgorithmIdentifier, BIT STRING }: the last element, its unused-bits byte left out
  const size = KEY_SIZES[key.asymmetricKeyType ?? ''] ?? 0;
  return info.subarray(info.length - size);
}

export function hash(algorithm: string, bytes: Uint8Array): Buffer {
  return createHash(algorithm).update(bytes).digest();
}

const ALGORITHMS: Readonly<Record<string, Buffer>> = {
  rsa: sequence(oid('1.2.840.113549.1.1.11'), der(0x05)),
  ec: sequence(oid('1.2.840.10045.4.3.2')),
  ed25519: sequence(oid('1.3.101.112')),
};

export function algorithmOf(key: KeyObject): Buffer {
  return ALGORITHMS[key.asymmetricKeyType ?? ''] ?? Buffer.of();
}

/** SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING, … }, signed with SHA-256. */
export function signed(tbs: Buffer, key: KeyObject, ...rest: readonly Buffer[]): Buffer {
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return sequence(tbs, algorithmOf(key), bits(sign(digest, tbs, key)), ...rest);
}
