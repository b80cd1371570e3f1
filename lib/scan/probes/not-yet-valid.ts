import { certificateProbe, nameOf } from './by-certificate';

/** RFC 5280 section 4.1.2.5. */
export const notYetValid = certificateProbe('not-yet-valid', {
  fault: (served, seen) => {
    const { notBefore } = served.leaf.certificate;
    return Date.parse(notBefore) > seen.at.getTime() ? `${nameOf(served)} is not valid before ${notBefore}` : null;
  },
  fine: 'Every certificate is valid already.',
});
