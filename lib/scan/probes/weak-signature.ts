import type { ServedCertificate } from '../observation';
import { certificateProbe } from './by-certificate';
import { issuersOf } from './issuers';

/** MD2, MD5 and SHA-1: RFC 9155, CA/Browser Forum Baseline Requirements 7.1.3.2. A root's own signature proves nothing. */
const WEAK = /^(md2|md5|sha1)With|with-SHA1$/i;

export const weakSignature = certificateProbe(
  'weak-signature',
  (served: ServedCertificate) => {
    const weak = [served.leaf, ...issuersOf(served)].find(({ certificate }) =>
      WEAK.test(certificate.signatureAlgorithm),
    );
    return weak === undefined
      ? null
      : `the certificate ${weak.certificate.commonName} is signed with ${weak.certificate.signatureAlgorithm}`;
  },
  'No certificate is signed with MD5 or SHA-1.',
);
