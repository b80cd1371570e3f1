import { crlStatus } from '../revocation/crl';
import { judgeEach } from '../revocation/judge-each';
import type { AskingProbe } from './probe';

/** Whether a certificate is on the list that its issuer publishes (RFC 5280 section 5). */
export const revokedCrl: AskingProbe = {
  id: 'revoked-crl',
  ask: ({ seen, anchors, line: { timeoutMs, signal } }) =>
    judgeEach(seen, served => crlStatus(served, anchors, { now: seen.at, timeoutMs, signal })),
};
