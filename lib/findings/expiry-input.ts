import { parseCertificate, type Certificate } from '../model/certificate';
import { CertDeskError } from '../model/errors';
import { STAGES, PROTOCOLS, type EndpointReport, type Protocol, type Stage } from '../model/report';
import { isReport } from './report-input';

/** What a message into Expiry Check may carry beside its payload. */
export interface ExpiryMessage {
  topic?: unknown;
  filename?: unknown;
  runId?: unknown;
  parts?: unknown;
  force?: unknown;
}

export interface ExpiryInput {
  /** Endpoint reports, and certificates as reports of the file they came from. */
  reports: EndpointReport[];
  /** The scan's run that the message belongs to; null for a message that is a run of its own. */
  runId: string | null;
  /** Where the message stands in a Node-RED sequence. */
  part: { id: string; index: number; count: number | null } | null;
}

/**
 * Reads what a message brings: an EndpointReport, a PEM or DER certificate, or an array of either.
 * Throws BAD_MESSAGE for anything else.
 */
export function readExpiryInput(payload: unknown, message: ExpiryMessage, ownRunId: string, now: Date): ExpiryInput {
  const items: unknown[] = Array.isArray(payload) ? payload : [payload];
  if (items.length === 0) throw notUnderstood('an empty array');
  const reports: EndpointReport[] = [];
  const certificates: Certificate[] = [];
  for (const item of items) {
    if (isReport(item)) reports.push(item.runId === '' ? { ...item, runId: ownRunId } : item);
    else certificates.push(...readCertificates(item));
  }
  const part = readPart(message.parts);
  const named = typeof message.runId === 'string' && message.runId !== '' ? message.runId : null;
  const isOfScan = reports.length > 0 && certificates.length === 0;
  return {
    reports: [...reports, ...asReports(certificates, message, ownRunId, now)],
    runId: isOfScan ? (named ?? (part === null ? null : (reports[0]?.runId ?? null))) : null,
    part,
  };
}

function readCertificates(item: unknown): Certificate[] {
  const isText = typeof item === 'string';
  if (!isText && !(item instanceof Uint8Array))
    throw notUnderstood(item === null ? 'null' : `a value of type ${typeof item} that is no whole EndpointReport`);
  const bytes = isText ? null : Buffer.from(item);
  const isDer = bytes?.[0] === 0x30; // SEQUENCE; PEM is text
  const sources = isDer ? [bytes] : pemBlocks(isText ? item : (bytes?.toString('latin1') ?? ''));
  if (sources.length === 0)
    throw notUnderstood(isText ? 'text without a PEM certificate' : 'bytes that are no certificate');
  return sources.map(source => {
    try {
      return parseCertificate(source);
    } catch (cause) {
      throw new CertDeskError(
        'BAD_MESSAGE',
        'The certificate in msg.payload can not be read. Check that the file is whole and in PEM or DER format.',
        { cause },
      );
    }
  });
}

function pemBlocks(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

/** The place of a certificate file is what its message is called; without that, the certificate's own name. */
function asReports(certificates: Certificate[], message: ExpiryMessage, runId: string, now: Date): EndpointReport[] {
  const called = [message.topic, message.filename].find(name => typeof name === 'string' && name.trim() !== '');
  const byName = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const name = typeof called === 'string' ? called.trim() : certificate.commonName;
    byName.set(name, [...(byName.get(name) ?? []), certificate]);
  }
  return [...byName].map(([name, own]) => fileReport(name, own, runId, now));
}

function fileReport(name: string, certificates: Certificate[], runId: string, now: Date): EndpointReport {
  const [certificate = null, ...otherCertificates] = certificates;
  return {
    endpoint: { domain: name, ip: '', port: 0, starttls: null, name },
    runId,
    scannedAt: now.toISOString(),
    durationMs: 0,
    connections: 0,
    status: 'scanned',
    stages: Object.fromEntries(STAGES.map(stage => [stage, { status: 'skipped' }])) as Record<
      Stage,
      { status: 'skipped' }
    >,
    certificate,
    chain: [],
    otherCertificates,
    protocols: Object.fromEntries(PROTOCOLS.map(p => [p, 'cannot-tell'])) as Record<Protocol, 'cannot-tell'>,
    ciphers: [],
    checks: [],
  };
}

function readPart(parts: unknown): ExpiryInput['part'] {
  if (!isRecord(parts)) return null;
  const { id, index, count } = parts;
  if (typeof id !== 'string' || typeof index !== 'number') return null;
  return { id, index, count: typeof count === 'number' ? count : null };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notUnderstood(what: string): CertDeskError {
  return new CertDeskError(
    'BAD_MESSAGE',
    `msg.payload is ${what}. Send an EndpointReport (output 1 of SSL Scan), a PEM or DER certificate, or an array of them.`,
  );
}
