import type { Certificate } from '../../lib/model/certificate';
import { makeEndpoint } from '../../lib/model/endpoint';
import type { Finding } from '../../lib/model/finding';
import type { CheckId } from '../../lib/model/checks';
import type { Check, Cipher } from '../../lib/model/report';

export const SCANNED_BY = 'CertDesk running at https://node-red.example:1880';

export function certificate(parts: Partial<Certificate> = {}): Certificate {
  return {
    commonName: 'shop.example',
    subjectAltNames: ['shop.example'],
    issuer: 'CN=Test CA',
    subject: 'CN=shop.example',
    serialNumber: '0A1B2C',
    notBefore: '2019-11-27T12:00:00.000Z',
    notAfter: '2020-02-25T12:00:00.000Z',
    signatureAlgorithm: 'sha256WithRSAEncryption',
    keyType: 'RSA',
    keyBits: 2048,
    fingerprint256: 'AA:BB',
    selfSigned: false,
    pem: '',
    ...parts,
  };
}

export function endpoint(domain: string | null, ip: string, port = 443): Finding['endpoints'][number] {
  return makeEndpoint({ domain, ip, port, starttls: null });
}

export function expiry(parts: Partial<Finding> = {}): Finding {
  return {
    kind: 'expiry',
    state: 'active',
    key: 'cd-exp-1',
    certificate: certificate(),
    endpoints: [endpoint('shop.example', '192.0.2.7')],
    detectedAt: '2020-02-11T14:05:09.000Z',
    runId: 'run-1',
    daysLeft: 13,
    ...parts,
  };
}

export const RC4 = cipher('0005', 'TLS_RSA_WITH_RC4_128_SHA', 'insecure');
export const TRIPLE_DES = cipher('000A', 'TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'weak');

export function cipher(
  id: string,
  name: string,
  level: Cipher['class'],
  protocol: Cipher['protocol'] = 'TLSv1.2',
): Cipher {
  return { protocol, id, name, opensslName: name, class: level, reasons: [], port: 443 };
}

export function check(id: CheckId, verdict: Check['verdict'] = 'vulnerable'): Check {
  return { id, verdict, port: 443 };
}

export function vulnerability(parts: Partial<Finding> = {}): Finding {
  return {
    kind: 'vulnerability',
    state: 'active',
    key: 'cd-vul-1',
    certificate: certificate({ commonName: 'example.com', subject: 'CN=example.com' }),
    endpoints: [endpoint('test.example.com', '192.168.205.35')],
    detectedAt: '2020-02-11T14:05:09.000Z',
    runId: 'run-1',
    scannedAt: '2020-02-11T14:05:09.000Z',
    weakCiphers: [RC4, TRIPLE_DES],
    vulnerabilities: [check('rc4')],
    ...parts,
  };
}
