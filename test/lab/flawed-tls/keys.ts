import { createHash, createHmac } from 'node:crypto';

export const TLS12 = 0x0303;

/** P_hash of RFC 2246 section 5. */
function expand(hash: string, secret: Buffer, seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  let a = seed;
  for (let have = 0; have < length; have += blocks.at(-1)?.length ?? length) {
    a = createHmac(hash, secret).update(a).digest();
    blocks.push(createHmac(hash, secret).update(a).update(seed).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** The pseudo-random function of RFC 2246 section 5, and of RFC 5246 section 5 from TLS 1.2 on. */
export function prf(version: number, secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, 'latin1'), seed]);
  if (version >= TLS12) return expand('sha256', secret, labelled, length);
  const half = Math.ceil(secret.length / 2);
  const md5 = expand('md5', secret.subarray(0, half), labelled, length);
  const sha1 = expand('sha1', secret.subarray(secret.length - half), labelled, length);
  return Buffer.from(md5.map((byte, index) => byte ^ (sha1[index] ?? 0)));
}

export interface Randoms {
  client: Buffer;
  server: Buffer;
}

export function masterSecret(version: number, premaster: Buffer, { client, server }: Randoms): Buffer {
  return prf(version, premaster, 'master secret', Buffer.concat([client, server]), 48);
}

/** What one direction needs. */
export interface DirectionKeys {
  mac: Buffer;
  key: Buffer;
  iv: Buffer;
}

/** The key block (RFC 5246 section 6.3) of a suite with HMAC-SHA1 and AES-CBC; `keyBytes` is 16 or 32. */
export function connectionKeys(
  version: number,
  master: Buffer,
  { client, server }: Randoms,
  keyBytes: number,
): { client: DirectionKeys; server: DirectionKeys } {
  const block = prf(version, master, 'key expansion', Buffer.concat([server, client]), 2 * (20 + keyBytes + 16));
  const direction = (index: 0 | 1): DirectionKeys => ({
    mac: block.subarray(20 * index, 20 * (index + 1)),
    key: block.subarray(40 + keyBytes * index, 40 + keyBytes * (index + 1)),
    iv: block.subarray(40 + 2 * keyBytes + 16 * index, 40 + 2 * keyBytes + 16 * (index + 1)),
  });
  return { client: direction(0), server: direction(1) };
}

/** The twelve bytes of a Finished (RFC 2246 and RFC 5246, section 7.4.9). */
export function verifyData(version: number, master: Buffer, side: 'client' | 'server', transcript: Buffer): Buffer {
  const hash = (name: string): Buffer => createHash(name).update(transcript).digest();
  const seed = version >= TLS12 ? hash('sha256') : Buffer.concat([hash('md5'), hash('sha1')]);
  return prf(version, master, `${side} finished`, seed, 12);
}
