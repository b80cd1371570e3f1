import type { CheckId } from '../../lib/model/checks';
import type { Finding } from '../../lib/model/finding';
import type { Cipher } from '../../lib/model/report';
import { certificate, endpoint } from '../findings/samples';

let runs = 0;

/** An expiry Finding of a certificate that ends at `notAfter`, each of a run of its own. */
export function expiry(notAfter: string, over: Partial<Finding> = {}): Finding {
  runs += 1;
  return {
    kind: 'expiry',
    state: 'active',
    key: 'cd-exp-0123456789abcdef01234567',
    certificate: certificate('0A1B', { notAfter }),
    endpoints: [endpoint()],
    detectedAt: '2026-06-01T00:00:00.000Z',
    runId: `run-${runs}`,
    ...over,
  };
}

/** A vulnerability Finding with these checks vulnerable and these suites listed. */
export function vulnerability(ids: CheckId[], over: Partial<Finding> = {}, weakCiphers: Cipher[] = []): Finding {
  return {
    ...expiry('2027-01-01T00:00:00.000Z'),
    kind: 'vulnerability',
    key: 'cd-vul-shop-exa-0123456789abcdef01234567',
    vulnerabilities: ids.map(id => ({ id, verdict: 'vulnerable', port: 443 })),
    weakCiphers,
    ...over,
  };
}
