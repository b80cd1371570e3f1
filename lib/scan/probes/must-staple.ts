import type { Dialogue } from '../dialogue';
import type { ServedCertificate } from '../observation';
import { judgeEach } from '../revocation/judge-each';
import { judgeStaple } from '../revocation/ocsp';
import { pairOf, type RevocationStatus } from '../revocation/status';
import type { AskingProbe } from './probe';

/**
 * RFC 7633: a certificate that asks for stapling is refused by some clients when its server does not staple, or staples
 * what does not count. It asks nobody.
 */
export const mustStaple: AskingProbe = {
  id: 'must-staple',
  ask: dialogue => judgeEach(dialogue.seen, served => statusOf(served, dialogue)),
};

async function statusOf(
  served: ServedCertificate,
  { seen, anchors, line }: Pick<Dialogue, 'seen' | 'anchors' | 'line'>,
): Promise<RevocationStatus> {
  if (!served.leaf.isMustStaple) return { verdict: 'not-applicable', detail: 'does not ask for stapling' };
  const asks = 'asks for a stapled OCSP answer';
  if (served.staple === null) return { verdict: 'vulnerable', detail: `${asks}, and none was sent` };
  const { leaf = null, issuer = null } = pairOf(served, anchors) ?? {};
  if (leaf === null || issuer === null) {
    return {
      verdict: 'cannot-tell',
      detail: `${asks}, and without its issuer's certificate the one sent can't be judged`,
    };
  }
  const staple = await judgeStaple(served, { leaf, issuer, now: seen.at }, line.signal);
  if (staple === null) return { verdict: 'cannot-tell', detail: `${asks}, and the scan was stopped` };
  if (staple.kind !== 'unusable') return { verdict: 'ok', detail: `${asks}, and one is stapled` };
  return { verdict: 'vulnerable', detail: `${asks}, and the one sent does not count: ${staple.detail}` };
}
