import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../lib/model/certificate';
import { makeEndpoint } from '../../lib/model/endpoint';
import type { Finding } from '../../lib/model/finding';
import type { EndpointReport, RunSummary } from '../../lib/model/report';
import type { TicketRecord } from '../../lib/model/ticket';
import type { KnownFinding, Notice, Work } from '../../lib/repository/repository';

/** A folder of its own for each test, removed afterwards; call inside `describe`. */
export function useFolder(): () => string {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certdesk-repository-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}

/** `serial` also makes the fingerprint, unless `key` tells two certificates with one serial number apart. */
export function sampleCertificate(serial: string, over: Partial<Certificate> & { key?: string } = {}): Certificate {
  const { key, ...rest } = over;
  return {
    commonName: 'shop.example',
    subjectAltNames: ['shop.example'],
    issuer: 'CN=Test CA',
    subject: 'CN=shop.example',
    serialNumber: serial,
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2026-12-31T00:00:00.000Z',
    signatureAlgorithm: 'sha256WithRSAEncryption',
    keyType: 'RSA',
    keyBits: 2048,
    fingerprint256: fingerprint(`${serial}${key ?? ''}`),
    selfSigned: false,
    pem: `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1200)}\n-----END CERTIFICATE-----\n`,
    ...rest,
  };
}

/** Thirty-two bytes in the form of the contract. */
export function fingerprint(seed: string): string {
  const hex = Buffer.from(seed).toString('hex').toUpperCase().padEnd(64, '0').slice(0, 64);
  return hex.replace(/..(?!$)/g, '$&:');
}

export function sampleReport(over: Partial<EndpointReport> & { domain?: string; ip?: string; port?: number } = {}) {
  const { domain = 'shop.example', ip = '192.0.2.7', port = 443, ...rest } = over;
  const report: EndpointReport = {
    endpoint: makeEndpoint({ domain, ip, port, starttls: null }),
    runId: 'run-1',
    scannedAt: '2026-11-01T10:00:00.000Z',
    durationMs: 20,
    connections: 3,
    status: 'scanned',
    stages: {
      dns: { status: 'ok' },
      tcp: { status: 'ok' },
      starttls: { status: 'skipped' },
      handshake: { status: 'ok' },
      trust: { status: 'ok' },
    },
    certificate: sampleCertificate('0A'),
    chain: [],
    otherCertificates: [],
    protocols: {
      SSLv2: 'refused',
      SSLv3: 'refused',
      TLSv1: 'refused',
      'TLSv1.1': 'refused',
      'TLSv1.2': 'offered',
      'TLSv1.3': 'offered',
    },
    ciphers: [],
    checks: [{ id: 'rc4', verdict: 'ok' }],
    ...rest,
  };
  return report;
}

export function unreachable(over: Parameters<typeof sampleReport>[0] = {}): EndpointReport {
  return sampleReport({ status: 'unreachable', certificate: null, checks: [], ...over });
}

export function sampleSummary(runId: string, over: Partial<RunSummary> = {}): RunSummary {
  return {
    runId,
    startedAt: '2026-11-01T10:00:00.000Z',
    finishedAt: '2026-11-01T10:01:00.000Z',
    stopped: false,
    forced: false,
    endpoints: 1,
    scanned: 1,
    partial: 0,
    unreachable: 0,
    vulnerable: 0,
    connections: 3,
    unreachableEndpoints: [],
    ...over,
  };
}

export function sampleFinding(key: string, over: Partial<Finding> = {}): Finding {
  return {
    kind: 'vulnerability',
    state: 'active',
    key,
    certificate: sampleCertificate('0A'),
    endpoints: [makeEndpoint({ domain: 'shop.example', ip: '192.0.2.7', port: 443, starttls: null })],
    detectedAt: '2026-11-01T10:00:00.000Z',
    runId: 'run-1',
    ...over,
  };
}

export function sampleKnownFinding(key: string, over: Partial<KnownFinding> = {}): KnownFinding {
  return {
    finding: sampleFinding(key),
    place: 'shop.example@192.0.2.7',
    causes: ['192.0.2.7:443 rc4'],
    activeAt: '2026-11-01T10:00:00.000Z',
    clearedAt: null,
    ...over,
  };
}

export function sampleNotice(key: string, over: Partial<Notice> = {}): Notice {
  return {
    key,
    lastAt: '2026-11-01T10:00:00.000Z',
    count: 1,
    thresholds: [60, 30],
    causes: ['192.0.2.7:443 rc4'],
    lastRunId: 'run-1',
    lastNotification: null,
    clearedAt: null,
    snoozedUntil: null,
    acknowledgedUntil: null,
    acknowledgedCauses: [],
    ...over,
  };
}

export function sampleRecord(key: string, over: Partial<TicketRecord> = {}): TicketRecord {
  return {
    action: 'created',
    helpdesk: 'local',
    id: '1',
    number: '1',
    url: null,
    status: 'Open',
    nativeStatus: 'open',
    priority: 'High',
    key,
    kind: 'vulnerability',
    subject: 'Vulnerabilities for shop.example',
    domain: 'shop.example',
    ip: '192.0.2.7',
    serialNumber: '0A',
    endpoints: [],
    createdAt: '2026-11-01T10:00:00.000Z',
    updatedAt: '2026-11-01T10:00:00.000Z',
    ...over,
  };
}

export function sampleWork(id: string, over: Partial<Work> = {}): Work {
  return {
    id,
    desk: 'local',
    nodeId: 'n1',
    key: 'cd-vul-1',
    finding: sampleFinding('cd-vul-1'),
    message: { topic: 'shop.example', notification: { reason: 'new' } },
    state: 'queued',
    error: { code: 'UNREACHABLE', message: 'connect ECONNREFUSED' },
    attempts: 1,
    createdAt: '2026-11-01T10:00:00.000Z',
    nextAt: '2026-11-01T10:01:00.000Z',
    ...over,
  };
}
