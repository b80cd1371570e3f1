import { nameOf, noCertificate, vulnerableBy } from './by-certificate';
import { capitalized, notApplicable, ok, some, type Probe } from './probe';

/** RFC 7633: a certificate that asks for stapling is refused by some clients when its server does not staple. */
export const mustStaple: Probe = {
  id: 'must-staple',
  judge: seen => {
    const missing = noCertificate(seen);
    if (missing !== null) return missing;
    const asking = seen.served.filter(({ leaf }) => leaf.isMustStaple);
    if (asking.length === 0) return notApplicable('No certificate asks for stapling.');
    const unstapled = asking.filter(({ staple }) => staple === null);
    if (unstapled.length === 0) return ok('An OCSP answer is stapled, as the certificate asks for.');
    return vulnerableBy(
      unstapled,
      `${capitalized(some(unstapled.map(nameOf)))} asks for a stapled OCSP answer, and none was sent.`,
    );
  },
};
