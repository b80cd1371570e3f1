import type { CertificateFields, Signed } from './fields';

/** Longer ones are nobody's, and pkijs takes its time for each element. */
const MAX_ALGORITHM = 256;
const MAX_KEY = 8192;

/**
 * Whether `signed` was signed with the key of `signer`. False as well for algorithms that WebCrypto doesn't have.
 *
 * pkijs is loaded with the first signature: many scans never meet one, and it costs about 90 ms and 14 MB. It only
 * checks signatures here: reading an OCSP answer takes it milliseconds, a list of 100,000 entries 17 s and 700 MB.
 */
export async function isSignedWith(
  signed: Signed,
  { publicKeyInfo }: Pick<CertificateFields, 'publicKeyInfo'>,
): Promise<boolean> {
  if (signed.algorithm.length > MAX_ALGORITHM || publicKeyInfo.length > MAX_KEY) return false;
  try {
    const [{ AlgorithmIdentifier, getCrypto, PublicKeyInfo }, { BitString }] = await Promise.all([
      import('pkijs'),
      import('asn1js'),
    ]);
    return await getCrypto(true).verifyWithPublicKey(
      signed.tbs as Uint8Array<ArrayBuffer>, // shared memory is never what a socket brings
      new BitString({ valueHex: copyOf(signed.signature) }),
      PublicKeyInfo.fromBER(copyOf(publicKeyInfo)),
      AlgorithmIdentifier.fromBER(copyOf(signed.algorithm)),
    );
  } catch {
    return false;
  }
}

/** Bytes in a buffer of their own. */
function copyOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
