import { explicitCurveBitsOf, keyAlgorithmOf } from '../../model/public-key';
import type { KnownCertificate } from '../certificates';
import { certificateProbe, type CertificateFault } from './by-certificate';
import { signedOf } from './issuers';

/** CA/Browser Forum Baseline Requirements 6.1.5, NIST SP 800-57 part 1 (112 bits of security). */
const LEAST_BITS: Readonly<Record<string, number>> = { RSA: 2048, 'RSA-PSS': 2048, DSA: 2048, EC: 224 };
/** Their size goes with their name, and all are long enough (RFC 8410, FIPS 204, FIPS 205). */
const ALWAYS_LONG = /^(ED25519|ED448|(ML|SLH)-DSA\b.*)$/;

const weakness: CertificateFault = served => {
  const weak = signedOf(served).find(
    ({ certificate: { keyType, keyBits } }) => keyBits > 0 && keyBits < (LEAST_BITS[keyType] ?? 0),
  );
  return weak === undefined ? null : `${keyOf(weak)} of ${weak.certificate.keyBits} bits${howGiven(weak)}`;
};

/** A size of 0 is one that nobody could read. */
const doubt: CertificateFault = served => {
  for (const one of signedOf(served)) {
    const { commonName, keyType, keyBits } = one.certificate;
    if (ALWAYS_LONG.test(keyType)) continue;
    if (LEAST_BITS[keyType] === undefined) {
      const { oid } = keyAlgorithmOf(one.der);
      return `the certificate ${commonName} has a key of a kind that is not known here: ${oid || 'without an OID'}`;
    }
    if (keyBits === 0) return `${keyOf(one)} whose size can't be told${howGiven(one)}`;
  }
  return null;
};

const remark: CertificateFault = served => {
  const odd = signedOf(served).find(one => howGiven(one) !== '');
  return odd === undefined ? null : `${keyOf(odd)} of ${odd.certificate.keyBits} bits${howGiven(odd)}`;
};

export const weakKey = certificateProbe('weak-key', {
  fault: weakness,
  doubt,
  fine: 'No certificate has a key that is too short.',
  remark,
});

function keyOf({ certificate: { commonName, keyType } }: KnownCertificate): string {
  return `the certificate ${commonName} has ${keyType.startsWith('D') ? 'a' : 'an'} ${keyType} key`;
}

function howGiven({ certificate, der }: KnownCertificate): string {
  if (certificate.keyType !== 'EC' || explicitCurveBitsOf(der) === null) return '';
  return ', on a curve that it describes instead of naming it, which RFC 5480 section 2.1.1 forbids';
}
