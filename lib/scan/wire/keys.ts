import { hasExplicitIv } from './cbc-record';
import type { CipherSpec } from './cipher-spec';
import type { TlsProtocol } from './names';
import { prf, type PrfHash } from './prf';

/** What one side protects its records with. */
export interface SideKeys {
  /** Empty in AEAD. */
  mac: Buffer;
  key: Buffer;
  /** The first IV of CBC up to TLS 1.0, the salt of AEAD; zeros in CBC from TLS 1.1 on, where each record has its own. */
  iv: Buffer;
}

export interface KeysInput {
  protocol: TlsProtocol;
  spec: CipherSpec;
  hash: PrfHash;
  master: Buffer;
  clientRandom: Buffer;
  serverRandom: Buffer;
}

/** RFC 5246 section 8.1, without extended master secret (RFC 7627), which is never offered. */
export function masterSecret(hash: PrfHash, premaster: Buffer, clientRandom: Buffer, serverRandom: Buffer): Buffer {
  return prf(hash, premaster, 'master secret', Buffer.concat([clientRandom, serverRandom]), 48);
}

/** RFC 2246 and RFC 5246 section 6.3, RFC 6101 section 6.2.2. */
export function deriveKeys(input: KeysInput): { client: SideKeys; server: SideKeys } {
  const { protocol, spec, hash, master, clientRandom, serverRandom } = input;
  const isIvDerived = spec.mode !== 'cbc' || !hasExplicitIv(protocol);
  const ivLength = isIvDerived ? spec.ivLength : 0;
  const length = 2 * (spec.macLength + spec.keyLength + ivLength);
  const block = prf(hash, master, 'key expansion', Buffer.concat([serverRandom, clientRandom]), length);
  let offset = 0;
  const pair = (width: number): { client: Buffer; server: Buffer } => {
    const client = block.subarray(offset, offset + width);
    const server = block.subarray(offset + width, offset + 2 * width);
    offset += 2 * width;
    return { client, server };
  };
  const mac = pair(spec.macLength);
  const key = pair(spec.keyLength);
  const zeros = Buffer.alloc(spec.ivLength);
  const iv = isIvDerived ? pair(ivLength) : { client: zeros, server: zeros };
  return {
    client: { mac: mac.client, key: key.client, iv: iv.client },
    server: { mac: mac.server, key: key.server, iv: iv.server },
  };
}
