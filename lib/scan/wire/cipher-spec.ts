import type { Suite } from '../suites/suites';

/** How a suite protects records, in the words of node:crypto. Lengths in bytes. */
export interface CipherSpec {
  mode: 'cbc' | 'gcm' | 'chacha20';
  cipher: string;
  keyLength: number;
  /** Of the first IV in CBC, of what stays of the nonce in AEAD. */
  ivLength: number;
  /** '' in AEAD. */
  macHash: string;
  macLength: number;
}

const CBC: Readonly<Record<string, { cipher: string; keyLength: number; ivLength: number }>> = {
  AES_128_CBC: { cipher: 'aes-128-cbc', keyLength: 16, ivLength: 16 },
  AES_256_CBC: { cipher: 'aes-256-cbc', keyLength: 32, ivLength: 16 },
  CAMELLIA_128_CBC: { cipher: 'camellia-128-cbc', keyLength: 16, ivLength: 16 },
  CAMELLIA_256_CBC: { cipher: 'camellia-256-cbc', keyLength: 32, ivLength: 16 },
  ARIA_128_CBC: { cipher: 'aria-128-cbc', keyLength: 16, ivLength: 16 },
  ARIA_256_CBC: { cipher: 'aria-256-cbc', keyLength: 32, ivLength: 16 },
  '3DES_EDE_CBC': { cipher: 'des-ede3-cbc', keyLength: 24, ivLength: 8 },
};
const MACS: Readonly<Record<string, { macHash: string; macLength: number }>> = {
  SHA: { macHash: 'sha1', macLength: 20 },
  SHA256: { macHash: 'sha256', macLength: 32 },
  SHA384: { macHash: 'sha384', macLength: 48 },
};
/** RFC 5288 section 3: 4 bytes of salt; RFC 7905 section 2: 12 bytes, and nothing of the nonce in the record. */
const AEAD: Readonly<Record<string, Pick<CipherSpec, 'mode' | 'cipher' | 'keyLength' | 'ivLength'>>> = {
  AES_128_GCM: { mode: 'gcm', cipher: 'aes-128-gcm', keyLength: 16, ivLength: 4 },
  AES_256_GCM: { mode: 'gcm', cipher: 'aes-256-gcm', keyLength: 32, ivLength: 4 },
  CHACHA20_POLY1305: { mode: 'chacha20', cipher: 'chacha20-poly1305', keyLength: 32, ivLength: 12 },
};

/** Null for what node:crypto cannot do (RC4, single DES, SEED), and for drafts that only share a name. */
export function cipherSpec({ enc, mac, name }: Pick<Suite, 'enc' | 'mac' | 'name'>): CipherSpec | null {
  if (name.startsWith('OLD_')) return null;
  const aead = AEAD[enc];
  if (aead !== undefined) return { ...aead, macHash: '', macLength: 0 };
  const cbc = CBC[enc];
  const macSpec = MACS[mac];
  return cbc === undefined || macSpec === undefined ? null : { mode: 'cbc', ...cbc, ...macSpec };
}
