import { constants, publicEncrypt, type KeyObject } from 'node:crypto';
import { random, uint, WireError } from './bytes';

/**
 * Premaster secrets in right and wrong padding, all of which a server must treat alike (RFC 5246 section 7.4.7.1):
 * those of "Return Of Bleichenbacher's Oracle Threat" (Böck, Somorovsky, Young, USENIX Security 2018).
 */
export type PremasterFlaw =
  /** None: 00 02, padding, 00, version, 46 bytes. */
  | 'correct'
  /** Right but for the version in it. */
  | 'wrong-version'
  /** 00 17 where 00 02 belongs. */
  | 'wrong-start'
  /** 00 02, and no other zero byte. */
  | 'no-zero'
  /** 00 02, and the zero byte next to the end, so that one byte is left for the secret. */
  | 'misplaced-zero';

const VERSION_AND_SECRET = 48;
/** No version of TLS; DTLS counts downwards from FEFF. */
const NO_VERSION = 0x0202;

/** Encrypts one; `version` is what the hello offered. Throws WireError for a key that is too short. */
export function encryptPremaster(key: KeyObject, flaw: PremasterFlaw, version: number): Buffer {
  const length = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  const paddingLength = length - VERSION_AND_SECRET - 3;
  if (paddingLength < 8) throw new WireError('MALFORMED', `its RSA key of ${length} bytes is too short`);
  const secret = nonZero(VERSION_AND_SECRET - 2);
  const parts = [Buffer.from([0, 2]), nonZero(paddingLength), Buffer.from([0]), uint(version, 2), secret];
  const message = Buffer.concat(parts);
  const zeroAt = 2 + paddingLength;
  switch (flaw) {
    case 'correct':
      break;
    case 'wrong-version':
      message.writeUInt16BE(NO_VERSION, zeroAt + 1);
      break;
    case 'wrong-start':
      message.writeUInt8(0x17, 1);
      break;
    case 'no-zero':
      nonZero(3).copy(message, zeroAt); // the byte itself and the version, whose second may be zero
      break;
    case 'misplaced-zero':
      nonZero(3).copy(message, zeroAt);
      message.writeUInt8(0, length - 2);
  }
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, message);
}

function nonZero(length: number): Buffer {
  return random(length).map(byte => (byte === 0 ? 1 : byte)) as Buffer;
}
