import type { PublicKeyInfo } from 'pkijs';
import type { CertificateFields, Signed } from './fields';

type Pkijs = typeof import('pkijs');

/** Longer ones are nobody's, and pkijs takes its time for each element. */
const MAX_ALGORITHM = 256;
const MAX_KEY = 8192;

/**
 * Whether `signed` was signed with the key of `signer`. False as well for algorithms that WebCrypto doesn't have.
 *
 * pkijs is loaded with the first signature: many scans never meet one, and it costs about 90 ms and 14 MB. It only
 * checks signatures here: reading an OCSP answer takes it milliseconds, a list of 100,000 entries 17 s or more and 700 MB.
 */
export async function isSignedWith(signed: Signed, signer: Signer): Promise<boolean> {
  if (signed.algorithm.length > MAX_ALGORITHM || signer.publicKeyInfo.length > MAX_KEY) return false;
  try {
    const { pkijs, asn1js } = await load();
    return await pkijs.getCrypto(true).verifyWithPublicKey(
      signed.tbs as Uint8Array<ArrayBuffer>, // shared memory is never what a socket brings
      new asn1js.BitString({ valueHex: copyOf(signed.signature) }),
      keyOf(signer, pkijs),
      pkijs.AlgorithmIdentifier.fromBER(copyOf(signed.algorithm)),
    );
  } catch {
    return false;
  }
}

async function load(): Promise<{ pkijs: Pkijs; asn1js: typeof import('asn1js') }> {
  const [pkijs, asn1js] = await Promise.all([import('pkijs'), import('asn1js')]);
  return { pkijs, asn1js };
}

type Signer = Pick<CertificateFields, 'publicKeyInfo'>;
/** Reading a key costs as much as a signature, and issuers come again and again. */
const keys = new WeakMap<Signer, PublicKeyInfo>();

function keyOf(signer: Signer, pkijs: Pkijs): PublicKeyInfo {
  const known = keys.get(signer);
  if (known !== undefined) return known;
  const key = pkijs.PublicKeyInfo.fromBER(copyOf(signer.publicKeyInfo));
  keys.set(signer, key);
  return key;
}

/** Bytes in a buffer of their own. */
function copyOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
