import { pssHashOf } from '../../model/signature';
import type { KnownCertificate } from '../certificates';
import { certificateProbe, type CertificateFault } from './by-certificate';
import { signedOf } from './issuers';

/** MD2, MD4, MD5, SHA and SHA-1: RFC 9155, CA/Browser Forum Baseline Requirements 7.1.3.2. */
const WEAK = /^(md[245]|sha1?)With|^dsaWithSHA1|with-SHA1$/;
const WEAK_PSS_HASHES: ReadonlySet<string> = new Set(['MD2', 'MD4', 'MD5', 'SHA-1']);
const NO_NAME = /^([\d.]+|unknown)$/;

const weakness: CertificateFault = served => {
  for (const one of signedOf(served)) {
    const { commonName, signatureAlgorithm } = one.certificate;
    const hash = pssHash(one);
    const isWeak = hash === null ? WEAK.test(signatureAlgorithm) : WEAK_PSS_HASHES.has(hash);
    if (isWeak) {
      return `the certificate ${commonName} is signed with ${signatureAlgorithm}${hash === null ? '' : ` over ${hash}`}`;
    }
  }
  return null;
};

const doubt: CertificateFault = served => {
  for (const one of signedOf(served)) {
    const { commonName, signatureAlgorithm } = one.certificate;
    const what = pssHash(one) ?? signatureAlgorithm;
    if (!NO_NAME.test(what)) continue;
    const role = what === signatureAlgorithm ? 'an algorithm' : `${signatureAlgorithm} over a hash`;
    return `the certificate ${commonName} is signed with ${role} that is not known here: ${what}`;
  }
  return null;
};

export const weakSignature = certificateProbe('weak-signature', {
  fault: weakness,
  doubt,
  fine: 'No certificate is signed with MD5 or SHA-1.',
});

/** Null but for RSASSA-PSS; `unknown` where its parameters can't be read. */
function pssHash({ certificate, der }: KnownCertificate): string | null {
  if (certificate.signatureAlgorithm !== 'rsassaPss') return null;
  try {
    return pssHashOf(der);
  } catch {
    return 'unknown';
  }
}
