import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { random, WireError } from './bytes';
import type { CipherSpec } from './cipher-spec';
import type { SideKeys } from './keys';
import { VERSION_CODES, type TlsProtocol } from './names';
import { recordMac } from './sslv3';

export interface Protection {
  protocol: TlsProtocol;
  spec: CipherSpec;
  keys: SideKeys;
}

/** The pseudo-header of a record that a MAC or an AEAD covers (RFC 5246 section 6.2.3). */
export function authenticated(sequence: bigint, type: number, protocol: TlsProtocol, length: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeBigUInt64BE(sequence, 0);
  header.writeUInt8(type, 8);
  header.writeUInt16BE(VERSION_CODES[protocol], 9);
  header.writeUInt16BE(length, 11);
  return header;
}

/** From TLS 1.1 on a random block stands before each record (RFC 4346 section 6.2.3.2, the way 2b). */
export function hasExplicitIv(protocol: TlsProtocol): boolean {
  return protocol !== 'SSLv3' && protocol !== 'TLSv1';
}

function macOf({ protocol, spec, keys }: Protection, sequence: bigint, type: number, content: Buffer): Buffer {
  if (protocol === 'SSLv3') return recordMac(keys.mac, sequence, type, content);
  return createHmac(spec.macHash, keys.mac)
    .update(authenticated(sequence, type, protocol, content.length))
    .update(content)
    .digest();
}

/** Protects records with CBC and a MAC below the encryption (RFC 5246 section 6.2.3.2), right ones and wrong ones. */
export class CbcSealer {
  readonly blockLength: number;
  readonly macLength: number;
  readonly #cipher;
  #sequence = 0n;

  constructor(private readonly protection: Protection) {
    const { spec, keys } = protection;
    this.blockLength = spec.ivLength;
    this.macLength = spec.macLength;
    this.#cipher = createCipheriv(spec.cipher, keys.key, keys.iv).setAutoPadding(false);
  }

  /** The fragment of a record as it should be. */
  seal(type: number, content: Buffer): Buffer {
    const unpadded = content.length + this.macLength;
    return this.sealAsIs(content, this.mac(type, content), padding(unpadded, this.blockLength));
  }

  /** The MAC that the next record has to have. */
  mac(type: number, content: Buffer): Buffer {
    return macOf(this.protection, this.#sequence, type, content);
  }

  /** Encrypts whatever it is given, whole blocks, as the next record. */
  sealAsIs(...parts: readonly Buffer[]): Buffer {
    this.#sequence += 1n;
    const before = hasExplicitIv(this.protection.protocol) ? random(this.blockLength) : Buffer.alloc(0);
    return this.#cipher.update(Buffer.concat([before, ...parts]));
  }
}

/** At least one byte of padding, up to a whole block; each says how many stand before the last. */
function padding(unpadded: number, blockLength: number): Buffer {
  const length = blockLength - (unpadded % blockLength);
  return Buffer.alloc(length, length - 1);
}

/** Opens records protected with CBC and a MAC; each mistake is a WireError. */
export class CbcOpener {
  readonly #decipher;
  #sequence = 0n;

  constructor(private readonly protection: Protection) {
    const { spec, keys } = protection;
    this.#decipher = createDecipheriv(spec.cipher, keys.key, keys.iv).setAutoPadding(false);
  }

  open(type: number, fragment: Buffer): Buffer {
    const { protocol, spec } = this.protection;
    const before = hasExplicitIv(protocol) ? spec.ivLength : 0;
    if (fragment.length % spec.ivLength !== 0 || fragment.length < before + spec.macLength + 1) {
      throw new WireError('MALFORMED', `an encrypted record of ${fragment.length} bytes`);
    }
    const plain = this.#decipher.update(fragment).subarray(before);
    const paddingLength = (plain.at(-1) ?? 0) + 1;
    const end = plain.length - paddingLength - spec.macLength;
    if (end < 0 || !isPadding(plain.subarray(-paddingLength), this.protection)) {
      throw new WireError('MALFORMED', 'an encrypted record with wrong padding');
    }
    const content = plain.subarray(0, end);
    const mac = macOf(this.protection, this.#sequence, type, content);
    this.#sequence += 1n;
    if (!timingSafeEqual(mac, plain.subarray(end, end + spec.macLength))) {
      throw new WireError('MALFORMED', 'an encrypted record with a wrong MAC');
    }
    return content;
  }
}

/** SSL 3.0 leaves its bytes open, but not its length (RFC 6101 section 5.2.3.2). */
function isPadding(bytes: Buffer, { protocol, spec }: Protection): boolean {
  if (protocol === 'SSLv3') return bytes.length <= spec.ivLength;
  return bytes.every(byte => byte === bytes.length - 1);
}

/** Wrong records that a server must answer all alike, each without content. */
export type CbcFlaw =
  /** None: a right record, to see how that is answered. */
  | 'none'
  /** The MAC is right, so is the length of the padding, and its first byte is wrong. */
  | 'bad-padding'
  /** The padding is right, the MAC is not. */
  | 'bad-mac'
  /** Both are wrong, but for the length of the padding. */
  | 'bad-both'
  /** All padding, so much that no room for a MAC is left. Harmful where CVE-2016-2107 is. */
  | 'no-mac';

/** The fragment of a record with application data that has a flaw. */
export function sealFlawed(sealer: CbcSealer, flaw: CbcFlaw): Buffer {
  const { blockLength, macLength } = sealer;
  const padded = padding(macLength, blockLength);
  if (flaw === 'no-mac') {
    const length = macLength + padded.length;
    return sealer.sealAsIs(Buffer.alloc(length, length - 1));
  }
  const mac = sealer.mac(APPLICATION_DATA, NOTHING);
  if (flaw === 'none') return sealer.sealAsIs(mac, padded);
  if (flaw !== 'bad-padding') mac.writeUInt8((mac[0] ?? 0) ^ 0xff, 0);
  if (flaw === 'bad-mac') return sealer.sealAsIs(mac, padded);
  const length = padded.length + blockLength; // more than the one byte that says how many there are
  const wrong = Buffer.alloc(length, length - 1);
  wrong.writeUInt8((wrong[0] ?? 0) ^ 0xff, 0);
  return sealer.sealAsIs(mac, wrong);
}

const APPLICATION_DATA = 23;
const NOTHING = Buffer.alloc(0);
