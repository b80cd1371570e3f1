import { createHash } from 'node:crypto';
import { uint, vector } from './bytes';

/*
 * What SSL 3.0 (RFC 6101) does in its own way: it is older than HMAC, and hashes twice with fixed bytes in between.
 */

/** How many bytes of padding stand between a secret and what is hashed with it (section 5.2.3.1). */
const PAD_LENGTHS = { md5: 48, sha1: 40 } as const;
type HashName = keyof typeof PAD_LENGTHS;

const SENDERS = { client: Buffer.from('CLNT'), server: Buffer.from('SRVR') } as const;

/** A master secret, or a key block (sections 6.1 and 6.2.2): MD5 over SHA-1, after A, then BB, then CCC, … */
export function cascade(secret: Buffer, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let round = 1; parts.length * 16 < length; round += 1) {
    const letters = Buffer.alloc(round, 'A'.charCodeAt(0) + round - 1);
    parts.push(digest('md5', secret, digest('sha1', letters, secret, seed)));
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** What a Finished says of the messages before it (section 5.6.9); 36 bytes. */
export function finishedHashes(master: Buffer, sender: keyof typeof SENDERS, messages: readonly Buffer[]): Buffer {
  const hash = (name: HashName): Buffer =>
    outer(name, master, digest(name, ...messages, SENDERS[sender], master, pad(name, 0x36)));
  return Buffer.concat([hash('md5'), hash('sha1')]);
}

/** The MAC of a record in a suite with SHA-1 (section 5.2.3.1), which leaves the version out. */
export function recordMac(secret: Buffer, sequence: bigint, type: number, content: Buffer): Buffer {
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(sequence);
  const covered = [count, uint(type, 1), vector(2, content)];
  return outer('sha1', secret, digest('sha1', secret, pad('sha1', 0x36), ...covered));
}

function outer(name: HashName, secret: Buffer, inner: Buffer): Buffer {
  return digest(name, secret, pad(name, 0x5c), inner);
}

function pad(name: HashName, byte: number): Buffer {
  return Buffer.alloc(PAD_LENGTHS[name], byte);
}

function digest(name: HashName, ...parts: readonly Buffer[]): Buffer {
  return createHash(name).update(Buffer.concat(parts)).digest();
}
