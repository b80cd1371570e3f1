import { createHash, createHmac } from 'node:crypto';
import type { TlsProtocol } from './names';
import { cascade, finishedHashes } from './sslv3';

/**
 * How a version and a suite make secrets: TLS 1.2 with one hash (RFC 5246 section 5), older ones with MD5 and SHA-1,
 * SSL 3.0 with the same in its own way (`ssl3`).
 */
export type PrfHash = 'ssl3' | 'md5-sha1' | 'sha256' | 'sha384';

export function prfHashOf(protocol: TlsProtocol, suiteName: string): PrfHash {
  if (protocol === 'SSLv3') return 'ssl3';
  if (protocol !== 'TLSv1.2') return 'md5-sha1';
  return suiteName.endsWith('_SHA384') ? 'sha384' : 'sha256';
}

/** The pseudorandom function of RFC 2246 section 5 and RFC 5246 section 5; SSL 3.0 has one without labels. */
export function prf(hash: PrfHash, secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  if (hash === 'ssl3') return cascade(secret, seed, length);
  const whole = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  if (hash !== 'md5-sha1') return expand(hash, secret, whole, length);
  const half = Math.ceil(secret.length / 2); // of an odd number of bytes the one in the middle counts for both halves
  const bytes = expand('md5', secret.subarray(0, half), whole, length);
  const other = expand('sha1', secret.subarray(secret.length - half), whole, length);
  return bytes.map((byte, index) => byte ^ (other[index] ?? 0)) as Buffer;
}

/** P_hash: HMACs over the seed and a chain of HMACs. */
function expand(hash: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = [];
  let chain = seed;
  for (let made = 0; made < length; made += parts.at(-1)?.length ?? length) {
    chain = createHmac(hash, secret).update(chain).digest();
    parts.push(createHmac(hash, secret).update(chain).update(seed).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** What a Finished says of the messages before it (RFC 5246 section 7.4.9): 12 bytes, 36 in SSL 3.0. */
export function verifyData(
  hash: PrfHash,
  master: Buffer,
  sender: 'client' | 'server',
  messages: readonly Buffer[],
): Buffer {
  if (hash === 'ssl3') return finishedHashes(master, sender, messages);
  const bytes = Buffer.concat(messages);
  const digest = (name: string): Buffer => createHash(name).update(bytes).digest();
  const transcript = hash === 'md5-sha1' ? Buffer.concat([digest('md5'), digest('sha1')]) : digest(hash);
  return prf(hash, master, `${sender} finished`, transcript, 12);
}
