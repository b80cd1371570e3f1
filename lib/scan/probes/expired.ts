import { certificateProbe, nameOf } from './by-certificate';

/** RFC 5280 section 4.1.2.5. */
export const expired = certificateProbe(
  'expired',
  (served, seen) => {
    const { notAfter } = served.leaf.certificate;
    return Date.parse(notAfter) < seen.at.getTime() ? `${nameOf(served)} expired at ${notAfter}` : null;
  },
  'No certificate has expired.',
);
