import { certificateProbe, nameOf } from './by-certificate';

/** A self-signed certificate that the settings trust was put there on purpose. */
export const selfSigned = certificateProbe('self-signed', {
  fault: served =>
    served.leaf.certificate.selfSigned && !served.trust.isTrusted
      ? `${nameOf(served)} is self-signed and not among the trusted ones`
      : null,
  fine: 'Every certificate was issued by an authority or is trusted by itself.',
});
