import type { KnownCertificate } from '../certificates';
import type { ServedCertificate } from '../observation';

/** The certificates between leaf and root: those of the trusted path, else all that were sent and are no roots. */
export function issuersOf({ leaf, chain, trust }: ServedCertificate): KnownCertificate[] {
  const candidates = trust.isTrusted ? trust.path : chain;
  return candidates.filter(
    one => one.certificate.fingerprint256 !== leaf.certificate.fingerprint256 && !one.certificate.selfSigned,
  );
}

/** Those whose own key and signature count: the leaf and its issuers. A root's signature proves nothing. */
export function signedOf(served: ServedCertificate): KnownCertificate[] {
  return [served.leaf, ...issuersOf(served)];
}
