import { createCipheriv, createDecipheriv, type CipherGCMTypes } from 'node:crypto';
import { WireError } from './bytes';
import { authenticated, type Protection } from './cbc-record';

const TAG = 16;
/** What a record of GCM carries of its nonce (RFC 5288 section 3). */
const EXPLICIT = 8;

/** GCM: salt, then what the record carries; ChaCha20: the IV with the sequence number over its end (RFC 7905). */
function nonceOf({ spec, keys }: Protection, sequence: Buffer): Buffer {
  if (spec.mode === 'gcm') return Buffer.concat([keys.iv, sequence]);
  const nonce = Buffer.from(keys.iv);
  sequence.forEach((byte, index) => nonce.writeUInt8((nonce[index + 4] ?? 0) ^ byte, index + 4));
  return nonce;
}

/** The types know ChaCha20-Poly1305 by its own name only; the call is the same. */
function asGcm(cipher: string): CipherGCMTypes {
  return cipher as CipherGCMTypes;
}

/** Protects records with an AEAD of TLS 1.2. */
export class AeadSealer {
  #sequence = 0n;

  constructor(private readonly protection: Protection) {}

  seal(type: number, content: Buffer): Buffer {
    const { protocol, spec, keys } = this.protection;
    const sequence = sequenceBytes(this.#sequence);
    const cipher = createCipheriv(asGcm(spec.cipher), keys.key, nonceOf(this.protection, sequence), {
      authTagLength: TAG,
    });
    cipher.setAAD(authenticated(this.#sequence, type, protocol, content.length), { plaintextLength: content.length });
    this.#sequence += 1n;
    const sealed = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
    return spec.mode === 'gcm' ? Buffer.concat([sequence, sealed]) : sealed;
  }
}

/** Opens records protected with an AEAD of TLS 1.2; each mistake is a WireError. */
export class AeadOpener {
  #sequence = 0n;

  constructor(private readonly protection: Protection) {}

  open(type: number, fragment: Buffer): Buffer {
    const { protocol, spec, keys } = this.protection;
    const explicit = spec.mode === 'gcm' ? EXPLICIT : 0;
    const length = fragment.length - explicit - TAG;
    if (length < 0) throw new WireError('MALFORMED', `an encrypted record of ${fragment.length} bytes`);
    const carried = explicit > 0 ? fragment.subarray(0, explicit) : sequenceBytes(this.#sequence);
    const decipher = createDecipheriv(asGcm(spec.cipher), keys.key, nonceOf(this.protection, carried), {
      authTagLength: TAG,
    });
    decipher.setAAD(authenticated(this.#sequence, type, protocol, length), { plaintextLength: length });
    decipher.setAuthTag(fragment.subarray(-TAG));
    this.#sequence += 1n;
    try {
      return Buffer.concat([decipher.update(fragment.subarray(explicit, -TAG)), decipher.final()]);
    } catch {
      throw new WireError('MALFORMED', 'an encrypted record that does not open');
    }
  }
}

function sequenceBytes(sequence: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(sequence);
  return bytes;
}
