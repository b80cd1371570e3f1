import { cannotTell, ok, vulnerable, type Probe } from './probe';

/** Advice: RFC 9325 section 3.1.1 asks for TLS 1.3. */
export const noTls13: Probe = {
  id: 'no-tls13',
  judge: seen => {
    const { state, reason } = seen.protocols['TLSv1.3'];
    if (state === 'offered') return ok(`TLS 1.3 is offered: ${reason}.`);
    if (state === 'refused') return vulnerable(`TLS 1.3 is not offered: ${reason}.`);
    return cannotTell(`TLS 1.3 could not be decided: ${reason}.`);
  },
};
