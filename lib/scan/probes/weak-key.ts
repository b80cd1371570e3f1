import type { Certificate } from '../../model/certificate';
import type { ServedCertificate } from '../observation';
import { certificateProbe } from './by-certificate';
import { issuersOf } from './issuers';

/** CA/Browser Forum Baseline Requirements 6.1.5, NIST SP 800-57 part 1 (112 bits of security). */
const LEAST_BITS: Readonly<Record<string, number>> = { RSA: 2048, 'RSA-PSS': 2048, DSA: 2048, EC: 224 };

export const weakKey = certificateProbe(
  'weak-key',
  (served: ServedCertificate) => {
    const weak = [served.leaf, ...issuersOf(served)].find(({ certificate }) => isWeakKey(certificate));
    if (weak === undefined) return null;
    const { commonName, keyType, keyBits } = weak.certificate;
    return `the certificate ${commonName} has a ${keyType} key of ${keyBits} bits`;
  },
  'No certificate has a key that is too short.',
);

/** A size of 0 is one that nobody could read. */
function isWeakKey({ keyType, keyBits }: Certificate): boolean {
  return keyBits > 0 && keyBits < (LEAST_BITS[keyType] ?? 0);
}
