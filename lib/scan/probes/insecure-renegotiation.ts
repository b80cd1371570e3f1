import { CLASSIC } from '../versions';
import { notApplicable, ok, openQuestion, vulnerable, type Probe } from './probe';

/**
 * CVE-2009-3555: a ServerHello without renegotiation_info (RFC 5746). What it says in SSLv3, which has no extensions
 * of its own, counts only where there is nothing newer. TLS 1.3 has no renegotiation.
 */
export const insecureRenegotiation: Probe = {
  id: 'insecure-renegotiation',
  judge: seen => {
    const { secure, insecure } = seen.renegotiation;
    const found = [...insecure].find(protocol => protocol !== 'SSLv3' || secure.size === 0);
    if (found !== undefined) {
      return vulnerable(`Its ServerHello of ${found} does not confirm secure renegotiation (RFC 5746).`);
    }
    const open = openQuestion(seen, CLASSIC);
    if (open !== null) return open;
    return secure.size > 0
      ? ok('It confirms secure renegotiation (RFC 5746).')
      : notApplicable('It speaks no version that has renegotiation.');
  },
};
