import { readDer, readDerSequence, readOid } from './der';

const RSASSA_PSS = 'rsassaPss';

/** RFC 8017 A.2.4, RFC 3279, RFC 5758, RFC 8410, RFC 8692, RFC 9881, NIST's and OIW's registers; OpenSSL's names. */
const SIGNATURE_ALGORITHMS: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'md2WithRSAEncryption',
  '1.2.840.113549.1.1.3': 'md4WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.10': RSASSA_PSS,
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.113549.1.1.14': 'sha224WithRSAEncryption',
  '1.2.840.113549.1.1.15': 'sha512-224WithRSAEncryption',
  '1.2.840.113549.1.1.16': 'sha512-256WithRSAEncryption',
  '1.2.840.10040.4.3': 'dsa-with-SHA1',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
  '1.2.840.10045.4.3.4': 'ecdsa-with-SHA512',
  '1.3.14.3.2.3': 'md5WithRSA',
  '1.3.14.3.2.15': 'shaWithRSAEncryption',
  '1.3.14.3.2.27': 'dsaWithSHA1-old',
  '1.3.14.3.2.29': 'sha1WithRSA',
  '1.3.101.112': 'ED25519',
  '1.3.101.113': 'ED448',
  '1.3.6.1.5.5.7.6.30': 'rsassa-pss-SHAKE128',
  '1.3.6.1.5.5.7.6.31': 'rsassa-pss-SHAKE256',
  '1.3.6.1.5.5.7.6.32': 'ecdsa-with-SHAKE128',
  '1.3.6.1.5.5.7.6.33': 'ecdsa-with-SHAKE256',
  '2.16.840.1.101.3.4.3.1': 'dsa-with-SHA224',
  '2.16.840.1.101.3.4.3.2': 'dsa-with-SHA256',
  '2.16.840.1.101.3.4.3.3': 'dsa-with-SHA384',
  '2.16.840.1.101.3.4.3.4': 'dsa-with-SHA512',
  '2.16.840.1.101.3.4.3.9': 'ecdsa-with-SHA3-224',
  '2.16.840.1.101.3.4.3.10': 'ecdsa-with-SHA3-256',
  '2.16.840.1.101.3.4.3.11': 'ecdsa-with-SHA3-384',
  '2.16.840.1.101.3.4.3.12': 'ecdsa-with-SHA3-512',
  '2.16.840.1.101.3.4.3.13': 'RSA-SHA3-224',
  '2.16.840.1.101.3.4.3.14': 'RSA-SHA3-256',
  '2.16.840.1.101.3.4.3.15': 'RSA-SHA3-384',
  '2.16.840.1.101.3.4.3.16': 'RSA-SHA3-512',
  '2.16.840.1.101.3.4.3.17': 'ML-DSA-44',
  '2.16.840.1.101.3.4.3.18': 'ML-DSA-65',
  '2.16.840.1.101.3.4.3.19': 'ML-DSA-87',
};

/** Hashes that RSASSA-PSS may name (RFC 4055 section 2.1, RFC 1319 to 1321, NIST's register). */
const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.2': 'MD2',
  '1.2.840.113549.2.4': 'MD4',
  '1.2.840.113549.2.5': 'MD5',
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
  '2.16.840.1.101.3.4.2.4': 'SHA-224',
  '2.16.840.1.101.3.4.2.5': 'SHA-512/224',
  '2.16.840.1.101.3.4.2.6': 'SHA-512/256',
  '2.16.840.1.101.3.4.2.7': 'SHA3-224',
  '2.16.840.1.101.3.4.2.8': 'SHA3-256',
  '2.16.840.1.101.3.4.2.9': 'SHA3-384',
  '2.16.840.1.101.3.4.2.10': 'SHA3-512',
};
const HASH_ALGORITHM_TAG = 0xa0;

/** Name of a certificate's signature algorithm; its dotted OID where it has none here, `unknown` where there is none. */
export function signatureAlgorithmOf(certificate: Buffer): string {
  const { oid } = algorithmOf(certificate);
  return SIGNATURE_ALGORITHMS[oid] ?? (oid || 'unknown');
}

/**
 * The hash in a signature of RSASSA-PSS: SHA-1 where it is left out, alone or with all parameters (RFC 4055 section 3.1);
 * its dotted OID where it has no name here. Null for every other algorithm. Throws RangeError for what is no DER.
 */
export function pssHashOf(certificate: Buffer): string | null {
  const { oid, parameters } = algorithmOf(certificate);
  if (SIGNATURE_ALGORITHMS[oid] !== RSASSA_PSS) return null;
  const given = readDerSequence(parameters).find(({ tag }) => tag === HASH_ALGORITHM_TAG);
  if (given === undefined) return 'SHA-1';
  const hash = readOid(readDer(readDer(given.content).content).content);
  return HASHES[hash] ?? hash;
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature } (RFC 5280 section 4.1). */
function algorithmOf(certificate: Buffer): { oid: string; parameters: Buffer } {
  const algorithm = readDerSequence(readDer(certificate).content)[1];
  const [oid, parameters] = algorithm === undefined ? [] : readDerSequence(algorithm.content);
  return {
    oid: oid === undefined ? '' : readOid(oid.content),
    parameters: parameters?.content ?? Buffer.alloc(0),
  };
}
