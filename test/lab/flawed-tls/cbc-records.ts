import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { uint, vector } from '../../../lib/scan/wire/bytes';
import type { Flaws } from './flaws';
import type { DirectionKeys } from './keys';

const TLS11 = 0x0302;
const BLOCK = 16;
const MAC = 20;

const ALERT = { badRecordMac: 20, decryptionFailed: 21, recordOverflow: 22 } as const;

function algorithm({ key }: DirectionKeys): string {
  return `aes-${key.length * 8}-cbc`;
}

function macOf(keys: DirectionKeys, sequence: bigint, type: number, version: number, content: Buffer): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(sequence);
  return createHmac('sha1', keys.mac)
    .update(number)
    .update(Buffer.from([type]))
    .update(uint(version, 2))
    .update(vector(2, content))
    .digest();
}

/** Writes records of GenericBlockCipher: MAC, then padding, then encryption (RFC 5246 section 6.2.3.2). */
export class CbcWriter {
  #sequence = 0n;
  #iv: Buffer;

  constructor(
    private readonly version: number,
    private readonly keys: DirectionKeys,
  ) {
    this.#iv = keys.iv;
  }

  /** `spoil` may change MAC and padding before they are encrypted, as an attacker would after. */
  seal(type: number, content: Buffer, spoil: (plain: Buffer) => void = () => {}): Buffer {
    const mac = macOf(this.keys, this.#sequence, type, this.version, content);
    this.#sequence += 1n;
    const padding = BLOCK - 1 - ((content.length + MAC) % BLOCK);
    const isExplicit = this.version >= TLS11;
    const iv = isExplicit ? randomBytes(BLOCK) : this.#iv;
    const cipher = createCipheriv(algorithm(this.keys), this.keys.key, iv).setAutoPadding(false);
    const plain = Buffer.concat([content, mac, Buffer.alloc(padding + 1, padding)]);
    spoil(plain);
    const sealed = cipher.update(plain);
    this.#iv = sealed.subarray(-BLOCK); // TLS 1.0 goes on where the last record ended (RFC 2246 section 6.2.3.2)
    const fragment = isExplicit ? Buffer.concat([iv, sealed]) : sealed;
    return Buffer.concat([Buffer.from([type]), uint(this.version, 2), vector(2, fragment)]);
  }
}

/** The content of a record, or what is done instead: an alert by its number, or closing without one. */
export type Unsealed = Buffer | number | 'close';

/** Reads what the other side's CbcWriter wrote, and shows the flaw of its padding check. */
export class CbcReader {
  #sequence = 0n;
  #iv: Buffer;

  constructor(
    private readonly version: number,
    private readonly keys: DirectionKeys,
    private readonly check: NonNullable<Flaws['padding']>,
  ) {
    this.#iv = keys.iv;
  }

  unseal(type: number, fragment: Buffer): Unsealed {
    const isExplicit = this.version >= TLS11;
    const iv = isExplicit ? fragment.subarray(0, BLOCK) : this.#iv;
    const sealed = isExplicit ? fragment.subarray(BLOCK) : fragment;
    if (iv.length < BLOCK || sealed.length === 0 || sealed.length % BLOCK !== 0) return ALERT.badRecordMac;
    this.#iv = sealed.subarray(-BLOCK);
    const decipher = createDecipheriv(algorithm(this.keys), this.keys.key, iv).setAutoPadding(false);
    const unsealed = this.#judge(type, decipher.update(sealed));
    return this.check === 'closing' && typeof unsealed === 'number' ? 'close' : unsealed;
  }

  #judge(type: number, plain: Buffer): Unsealed {
    const padding = plain[plain.length - 1] ?? 0;
    const length = plain.length - 1 - padding - MAC;
    const isEven = plain.subarray(-1 - padding).every(byte => byte === padding);
    if (length < 0) {
      const isAllPadding = isEven && padding < plain.length;
      if (this.check === 'record-overflow' && isAllPadding) return ALERT.recordOverflow;
      return this.check === 'distinct-alert' ? ALERT.decryptionFailed : ALERT.badRecordMac;
    }
    if (!isEven && this.check === 'distinct-alert') return ALERT.decryptionFailed;
    const content = plain.subarray(0, length);
    const mac = macOf(this.keys, this.#sequence, type, this.version, content);
    const isAuthentic = mac.equals(plain.subarray(length, length + MAC));
    if (!isAuthentic) return ALERT.badRecordMac;
    if (!isEven && this.check !== 'unchecked') return this.check === 'zombie' ? 'close' : ALERT.badRecordMac;
    this.#sequence += 1n;
    return content;
  }
}
