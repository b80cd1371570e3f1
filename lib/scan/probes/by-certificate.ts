import type { CheckId } from '../../model/checks';
import type { Observation, ServedCertificate } from '../observation';
import { cannotTell, capitalized, ok, some, vulnerable, type Judgement, type Probe } from './probe';

/** What is wrong with one certificate, null for nothing. */
export type CertificateFault = (served: ServedCertificate, seen: Observation) => string | null;

/** A check that is made on every certificate that the endpoint serves, an RSA one beside an ECDSA one. */
export function certificateProbe(id: CheckId, fault: CertificateFault, fine: string): Probe {
  return { id, judge: seen => noCertificate(seen) ?? judgeAll(seen, fault, fine) };
}

function judgeAll(seen: Observation, fault: CertificateFault, fine: string): Judgement {
  const faults = seen.served.flatMap(served => fault(served, seen) ?? []);
  return faults.length > 0 ? vulnerable(`${capitalized(some(faults))}.`) : ok(fine);
}

/** Without a certificate nothing can be said of it. */
export function noCertificate(seen: Observation): Judgement | null {
  if (seen.served.length > 0) return null;
  return cannotTell(`No certificate was seen${seen.certificateProblem === '' ? '' : `: ${seen.certificateProblem}`}.`);
}

/** How a sentence names a certificate. */
export function nameOf({ leaf: { certificate } }: ServedCertificate): string {
  return `the certificate ${certificate.commonName} (${certificate.keyType}, serial number ${certificate.serialNumber})`;
}
