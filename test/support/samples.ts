import { parseCertificate, type Certificate } from '../../lib/model/certificate';
import { makeEndpoint, type Endpoint } from '../../lib/model/endpoint';
import type { Finding } from '../../lib/model/finding';
import { expiryKey } from '../../lib/model/keys';
import { issue } from '../lab/certificates';
import { inDays } from './lab-ca';

export async function sampleCertificate(commonName: string, daysLeft: number): Promise<Certificate> {
  const options = { commonName, dns: [commonName], keyType: 'ec256' as const };
  return parseCertificate((await issue(null, { ...options, notBefore: inDays(-85), notAfter: inDays(daysLeft) })).cert);
}

export function sampleEndpoint(domain: string, ip = '192.0.2.1', port = 443): Endpoint {
  return makeEndpoint({ domain, ip, port, starttls: null });
}

/** An expiry Finding as Expiry Check sends it. */
export async function sampleFinding(commonName: string, more: Partial<Finding> = {}): Promise<Finding> {
  const certificate = await sampleCertificate(commonName, 5);
  return {
    kind: 'expiry',
    state: 'active',
    key: expiryKey(certificate),
    certificate,
    endpoints: [sampleEndpoint(commonName)],
    detectedAt: new Date().toISOString(),
    runId: null,
    daysLeft: 5,
    ...more,
  };
}
