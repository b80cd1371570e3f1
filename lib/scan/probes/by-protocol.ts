import type { CheckId } from '../../model/checks';
import type { Protocol } from '../../model/report';
import { cannotTell, ok, vulnerable, type Probe } from './probe';

/** The check for a version that nobody should offer; `why` ends the sentence. */
export function outdatedProtocol(id: CheckId, protocol: Protocol, why: string): Probe {
  return {
    id,
    judge: seen => {
      const { state, reason } = seen.protocols[protocol];
      if (state === 'offered') return vulnerable(`${protocol} is offered (${reason}); ${why}.`);
      if (state === 'refused') return ok(`${protocol} is refused: ${reason}.`);
      return cannotTell(`${protocol} could not be decided: ${reason}.`);
    },
  };
}
