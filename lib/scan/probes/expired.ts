import { certificateProbe, nameOf } from './by-certificate';

/** RFC 5280 section 4.1.2.5. */
export const expired = certificateProbe('expired', {
  fault: (served, seen) => {
    const { notAfter } = served.leaf.certificate;
    return Date.parse(notAfter) < seen.at.getTime() ? `${nameOf(served)} expired at ${notAfter}` : null;
  },
  fine: 'No certificate has expired.',
});
