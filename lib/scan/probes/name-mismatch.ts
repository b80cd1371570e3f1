import { isIP } from 'node:net';
import type { Observation, ServedCertificate } from '../observation';
import { certificateProbe, nameOf } from './by-certificate';

/** RFC 9525: names come from the subjectAltName, never from the common name; a bare address needs an address there. */
export const nameMismatch = certificateProbe('name-mismatch', {
  fault: mismatch,
  fine: 'The name is in every certificate.',
});

function mismatch(served: ServedCertificate, { endpoint }: Observation): string | null {
  const { x509, certificate } = served.leaf;
  const wanted = endpoint.domain ?? endpoint.ip;
  const isThere =
    isIP(wanted) === 0
      ? x509.checkHost(wanted.replace(/\.$/, ''), { subject: 'never', partialWildcards: false }) !== undefined
      : x509.checkIP(wanted) !== undefined;
  if (isThere) return null;
  const names = certificate.subjectAltNames;
  return names.length === 0
    ? `${nameOf(served)} has no subjectAltName, so that it fits no name, ${wanted} neither`
    : `${isIP(wanted) === 0 ? 'the name' : 'the address'} ${wanted} is not in ${nameOf(served)}, which is for ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;
}
