import { constants, privateDecrypt, randomBytes, type KeyObject } from 'node:crypto';

/** Length of a premaster secret (RFC 5246 section 7.4.7.1), and the fewest bytes of padding (RFC 8017 section 7.2.1). */
const PREMASTER = 48;
const LEAST_PADDING = 8;

/** What is wrong with the padding of a decrypted premaster secret. */
export type PaddingFault = 'bad-start' | 'early-zero' | 'no-zero' | 'wrong-length';

export interface Premaster {
  /** The client's, or a random one where anything is wrong with it. */
  secret: Buffer;
  fault: PaddingFault | null;
}

/**
 * Decrypts a premaster secret without help of the library, whose own countermeasure would hide every flaw.
 * `version` is what the client offered in its hello.
 */
export function decryptPremaster(key: KeyObject, encrypted: Buffer, version: number): Premaster {
  const random = randomBytes(PREMASTER);
  const message = decryptRaw(key, encrypted);
  const fault = message === null ? 'bad-start' : faultOf(message);
  if (message === null || fault !== null) return { secret: random, fault };
  const secret = message.subarray(-PREMASTER);
  return { secret: secret.readUInt16BE(0) === version ? secret : random, fault: null };
}

/** Null for what is no number below the modulus. */
function decryptRaw(key: KeyObject, encrypted: Buffer): Buffer | null {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted);
  } catch {
    return null;
  }
}

/** EM = 00 02 PS 00 M (RFC 8017 section 7.2.2). */
function faultOf(message: Buffer): PaddingFault | null {
  if (message[0] !== 0 || message[1] !== 2) return 'bad-start';
  const zero = message.indexOf(0, 2);
  if (zero === -1) return 'no-zero';
  if (zero < 2 + LEAST_PADDING) return 'early-zero';
  return message.length - zero - 1 === PREMASTER ? null : 'wrong-length';
}
