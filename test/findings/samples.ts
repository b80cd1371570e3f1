import type { Certificate } from '../../lib/model/certificate';
import type { CheckId } from '../../lib/model/checks';
import { makeEndpoint, type Endpoint } from '../../lib/model/endpoint';
import { PROTOCOLS, STAGES, type Check, type Cipher, type EndpointReport, type Protocol } from '../../lib/model/report';
import type { ProtocolState, Stage, StageResult, Verdict } from '../../lib/model/report';

/** A certificate as far as judgement looks at it; `serial` makes it another one. */
export function certificate(serial: string, over: Partial<Certificate> = {}): Certificate {
  return {
    commonName: 'shop.example',
    subjectAltNames: ['shop.example'],
    issuer: 'CN=Test CA,O=Example',
    subject: 'CN=shop.example',
    serialNumber: serial,
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-12-31T00:00:00.000Z',
    signatureAlgorithm: 'sha256WithRSAEncryption',
    keyType: 'RSA',
    keyBits: 2048,
    fingerprint256: `FP:${serial}`,
    selfSigned: false,
    pem: '',
    ...over,
  };
}

export function endpoint(port = 443, over: Partial<Omit<Endpoint, 'name'>> = {}): Endpoint {
  return makeEndpoint({ domain: 'shop.example', ip: '192.0.2.7', port, starttls: null, ...over });
}

const SUITES: Record<string, Omit<Cipher, 'protocol'>> = {
  rc4: suite('0005', 'TLS_RSA_WITH_RC4_128_SHA', 'insecure'),
  '3des': suite('000A', 'TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'weak'),
  rsaGcm: suite('009C', 'TLS_RSA_WITH_AES_128_GCM_SHA256', 'weak'),
  dheCbc: suite('0033', 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA', 'weak'),
  ecdheGcm: suite('C02F', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'secure'),
  ssl2: suite('010080', 'SSL_CK_RC4_128_WITH_MD5', 'insecure'),
};

function suite(id: string, name: string, level: Cipher['class']): Omit<Cipher, 'protocol'> {
  return { id, name, opensslName: name, class: level, reasons: [] };
}

export function cipher(name: keyof typeof SUITES, protocol: Protocol = 'TLSv1.2'): Cipher {
  const found = SUITES[name];
  if (found === undefined) throw new Error(`no suite ${name}`);
  return { ...found, protocol };
}

export function checks(verdicts: Partial<Record<CheckId, Verdict>>): Check[] {
  return (Object.entries(verdicts) as [CheckId, Verdict][]).map(([id, verdict]) => ({ id, verdict }));
}

export interface ReportParts {
  runId: string;
  at: string;
  endpoint?: Endpoint;
  certificate?: Certificate | null;
  others?: Certificate[];
  /** The other kind of certificate could not be asked for. */
  isIncomplete?: boolean;
  status?: EndpointReport['status'];
  ciphers?: Cipher[];
  checks?: Partial<Record<CheckId, Verdict>>;
  /** Checks that are vulnerable for one certificate: its fingerprint. */
  faults?: Partial<Record<CheckId, string>>;
  protocols?: Partial<Record<Protocol, ProtocolState>>;
  stages?: Partial<Record<Stage, StageResult>>;
}

/** A report of a server that speaks TLS 1.2 and 1.3, with what a test wants to be otherwise. */
export function report(parts: ReportParts): EndpointReport {
  return {
    endpoint: parts.endpoint ?? endpoint(),
    runId: parts.runId,
    scannedAt: parts.at,
    durationMs: 12,
    connections: 5,
    status: parts.status ?? 'scanned',
    stages: {
      ...(Object.fromEntries(STAGES.map(stage => [stage, { status: 'ok' }])) as Record<Stage, StageResult>),
      ...parts.stages,
    },
    certificate: parts.certificate === undefined ? certificate('A1') : parts.certificate,
    chain: [],
    otherCertificates: parts.others ?? [],
    ...(parts.isIncomplete === true ? { certificatesComplete: false } : {}),
    protocols: {
      ...(Object.fromEntries(PROTOCOLS.map(p => [p, 'refused'])) as Record<Protocol, ProtocolState>),
      'TLSv1.2': 'offered',
      'TLSv1.3': 'offered',
      ...parts.protocols,
    },
    ciphers: parts.ciphers ?? [cipher('ecdheGcm')],
    checks: [
      ...checks({ ...DECIDED, ...parts.checks }),
      ...(Object.entries(parts.faults ?? {}) as [CheckId, string][]).map(([id, fingerprint256]): Check => ({
        id,
        verdict: 'vulnerable',
        fingerprint256,
      })),
    ],
  };
}

/** Nothing could be asked: connection refused, or as `reason` says. */
export function unreachable(parts: ReportParts, reason = 'ECONNREFUSED'): EndpointReport {
  return {
    ...report({ ...parts, status: 'unreachable', certificate: null, ciphers: [] }),
    stages: {
      dns: { status: 'ok' },
      tcp: { status: 'failed', reason },
      starttls: { status: 'skipped' },
      handshake: { status: 'skipped' },
      trust: { status: 'skipped' },
    },
    protocols: Object.fromEntries(PROTOCOLS.map(p => [p, 'cannot-tell'])) as Record<Protocol, ProtocolState>,
    checks: checks({ rc4: 'cannot-tell', heartbleed: 'cannot-tell' }),
  };
}

/** The answers of a healthy server that suites are judged with. */
const DECIDED: Partial<Record<CheckId, Verdict>> = {
  heartbleed: 'ok',
  sslv2: 'ok',
  sslv3: 'ok',
  tls10: 'ok',
  tls11: 'ok',
  'null-cipher': 'ok',
  'anonymous-cipher': 'ok',
  'export-cipher': 'ok',
  rc4: 'ok',
  des: 'ok',
  sweet32: 'ok',
  'cbc-beast': 'ok',
  'no-forward-secrecy': 'ok',
};
