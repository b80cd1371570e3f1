import type { CheckId } from '../../model/checks';
import { hasShownAllKinds, type Observation, type ServedCertificate } from '../observation';
import { cannotTell, capitalized, ok, some, vulnerable, type Judgement, type Probe } from './probe';

/** What there is to say of one certificate, half a sentence; null for nothing. */
export type CertificateFault = (served: ServedCertificate, seen: Observation) => string | null;

/** What a check looks for in certificates, and what it says where it finds nothing. */
export interface CertificateQuestion {
  fault: CertificateFault;
  /** Why one certificate can't be judged, null where it can; default: all can. */
  doubt?: CertificateFault;
  /** A sentence. */
  fine: string;
  /** What an all-clear should not be silent of; default: nothing. */
  remark?: CertificateFault;
}

/** A check that is made on every certificate that the endpoint serves, an RSA one beside an ECDSA one. */
export function certificateProbe(id: CheckId, question: CertificateQuestion): Probe {
  return { id, judge: seen => noCertificate(seen) ?? judgeAll(seen, question) };
}

function judgeAll(seen: Observation, { fault, doubt, fine, remark }: CertificateQuestion): Judgement {
  const eachBy = (judge: CertificateFault = () => null): string[] =>
    seen.served.map(served => judge(served, seen)).filter(what => what !== null);
  const faulty = seen.served.flatMap(served => {
    const what = fault(served, seen);
    return what === null ? [] : { served, what };
  });
  if (faulty.length === 0) {
    const open = eachBy(doubt);
    if (open.length > 0) return cannotTell(`${capitalized(some(open))}.`);
    const remarks = eachBy(remark).map(what => ` ${capitalized(what)}.`);
    return notAllSeen(seen) ?? ok(fine + remarks.join(''));
  }
  return vulnerableBy(
    faulty.map(({ served }) => served),
    `${capitalized(some(faulty.map(({ what }) => what)))}.`,
  );
}

/** What is fine in the certificates that were seen says nothing of one that was not. */
export function notAllSeen(seen: Observation): Judgement | null {
  if (seen.certificateProblem !== '') return cannotTell(`Not every certificate was seen: ${seen.certificateProblem}.`);
  return hasShownAllKinds(seen)
    ? null
    : cannotTell('Not every certificate was seen: one of another kind may be there.');
}

/** Says which certificate it is about, where it is one. */
export function vulnerableBy(faulty: readonly ServedCertificate[], detail: string): Judgement {
  const [only, ...more] = faulty;
  if (only === undefined || more.length > 0) return vulnerable(detail);
  return { ...vulnerable(detail), fingerprint256: only.leaf.certificate.fingerprint256 };
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
