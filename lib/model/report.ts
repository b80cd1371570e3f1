import type { Certificate } from './certificate';
import type { CheckId } from './checks';
import type { Endpoint } from './endpoint';

export type Verdict = 'vulnerable' | 'ok' | 'cannot-tell' | 'not-applicable' | 'skipped';

/** One question asked of a server, with its answer and a sentence of evidence. */
export interface Check {
  id: CheckId;
  verdict: Verdict;
  detail?: string;
  port?: number;
  /**
   * Of a `vulnerable` check of certificates: the one certificate that it is about, the others being fine. Left out where
   * it is about several, or about the server. An addition to the check as first published.
   */
  fingerprint256?: string;
}

/** Worst first; the levels of ciphersuite.info. */
export type CipherClass = 'insecure' | 'weak' | 'secure' | 'recommended';

/** One suite that a server accepts in one protocol version. */
export interface Cipher {
  protocol: Protocol;
  /** Code point in upper-case hex without separator: `C02F`, or six digits for SSLv2. */
  id: string;
  /** IANA's name. */
  name: string;
  opensslName: string;
  class: CipherClass;
  reasons: string[];
  port?: number;
}

export const PROTOCOLS = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
export type ProtocolState = 'offered' | 'refused' | 'cannot-tell';

export const STAGES = ['dns', 'tcp', 'starttls', 'handshake', 'trust'] as const;
export type Stage = (typeof STAGES)[number];
export interface StageResult {
  status: 'ok' | 'failed' | 'skipped';
  /** A short upper-case word, e.g. `ECONNREFUSED`, `TIMEOUT`, `NOT_TLS`, `STOPPED`, `CERT_HAS_EXPIRED`. */
  reason?: string;
}

/** What one look at one endpoint saw. Data also when things went wrong: a report is never an exception. */
export interface EndpointReport {
  endpoint: Endpoint;
  runId: string;
  scannedAt: string;
  durationMs: number;
  /** TCP connections opened to the endpoint. */
  connections: number;
  status: 'scanned' | 'partial' | 'unreachable';
  stages: Record<Stage, StageResult>;
  /** What today's clients get. */
  certificate: Certificate | null;
  chain: Certificate[];
  /** Further certificates that the same endpoint serves, an RSA one beside an ECDSA one. */
  otherCertificates: Certificate[];
  /**
   * False where the other kind of certificate (RSA, ECDSA) could not be asked for: one that is not shown may be served
   * all the same. Left out otherwise. An addition to the report as first published.
   */
  certificatesComplete?: false;
  protocols: Record<Protocol, ProtocolState>;
  ciphers: Cipher[];
  checks: Check[];
}

/**
 * Fingerprints of what an endpoint serves by a report, today's clients' first. What was served `before` and is of a
 * type of key that the report doesn't show counts as well where the report is not complete.
 */
export function servedFingerprints(report: EndpointReport, before: readonly Certificate[]): string[] {
  const shown = [report.certificate, ...report.otherCertificates].filter(certificate => certificate !== null);
  const types = new Set(shown.map(certificate => certificate.keyType));
  const isKept = report.certificatesComplete === false && shown.length > 0;
  const kept = isKept ? before.filter(certificate => !types.has(certificate.keyType)) : [];
  return [...new Set([...shown, ...kept].map(certificate => certificate.fingerprint256))];
}

/** How one run went; the last thing told of it. */
export interface RunSummary {
  runId: string;
  startedAt: string;
  finishedAt: string;
  stopped: boolean;
  forced: boolean;
  endpoints: number;
  scanned: number;
  partial: number;
  unreachable: number;
  /** Vulnerability keys that are active, and weak places without a key since no certificate could be read there. */
  vulnerable: number;
  connections: number;
  unreachableEndpoints: { name: string; reason: string }[];
}

/** The first stage that failed on the way to an answer, for people: `tcp ECONNREFUSED`. Trust does not count. */
export function failureReason(report: EndpointReport): string {
  for (const stage of STAGES) {
    const result = report.stages[stage];
    if (stage !== 'trust' && result.status === 'failed') return result.reason ?? stage;
  }
  return 'UNKNOWN';
}
