import { certificateProbe, nameOf } from './by-certificate';

/** Whether today's clients find a way from the chain to a root they trust; see trust.ts. */
export const untrusted = certificateProbe('untrusted', {
  fault: served =>
    served.trust.isTrusted ? null : `${nameOf(served)} is not trusted: ${served.trust.detail} (${served.trust.reason})`,
  fine: 'Every chain leads to a trusted root.',
});
