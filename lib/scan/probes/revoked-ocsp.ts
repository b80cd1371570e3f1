import { ocspStatus } from '../revocation/ocsp';
import { judgeEach } from '../revocation/judge-each';
import type { AskingProbe } from './probe';

/** What the issuer says of a certificate by OCSP (RFC 6960): stapled where that counts, else asked for. */
export const revokedOcsp: AskingProbe = {
  id: 'revoked-ocsp',
  ask: ({ seen, anchors, line: { timeoutMs, signal } }) =>
    judgeEach(seen, served => ocspStatus(served, anchors, { now: seen.at, timeoutMs, signal })),
};
