import type { Certificate } from '../model/certificate';
import type { Endpoint } from '../model/endpoint';
import { PROTOCOLS, STAGES, type Check, type Cipher, type EndpointReport, type StageResult } from '../model/report';

const STATUSES: readonly unknown[] = ['scanned', 'partial', 'unreachable'];
const STAGE_STATUSES: readonly unknown[] = ['ok', 'failed', 'skipped'];
const STATES: readonly unknown[] = ['offered', 'refused', 'cannot-tell'];
const VERDICTS: readonly unknown[] = ['vulnerable', 'ok', 'cannot-tell', 'not-applicable', 'skipped'];
const CLASSES: readonly unknown[] = ['insecure', 'weak', 'secure', 'recommended'];
const HIGHEST_PORT = 65_535;

/**
 * Whether a value that came in a message is an EndpointReport, whole enough to be kept and judged, whoever made it.
 * A check id that this version does not know is none the less a check.
 */
export function isReport(value: unknown): value is EndpointReport {
  if (!isRecord(value)) return false;
  const { endpoint, runId, scannedAt, status, stages, certificate, protocols } = value;
  return (
    isEndpoint(endpoint) &&
    typeof runId === 'string' &&
    isDate(scannedAt) &&
    STATUSES.includes(status) &&
    isRecord(stages) &&
    STAGES.every(stage => isStageResult(stages[stage])) &&
    isRecord(protocols) &&
    PROTOCOLS.every(protocol => STATES.includes(protocols[protocol])) &&
    (certificate === null || isCertificate(certificate)) &&
    isListOf(value['otherCertificates'], isCertificate) &&
    (value['chain'] === undefined || isListOf(value['chain'], isCertificate)) &&
    (value['certificatesComplete'] === undefined || value['certificatesComplete'] === false) &&
    isListOf(value['ciphers'], isCipher) &&
    isListOf(value['checks'], isCheck) &&
    isJson(value)
  );
}

function isEndpoint(value: unknown): value is Endpoint {
  if (!isRecord(value)) return false;
  const { name, domain, ip, port, starttls } = value;
  return (
    typeof name === 'string' &&
    name !== '' &&
    (domain === null || typeof domain === 'string') &&
    typeof ip === 'string' &&
    isPort(port) &&
    (starttls === null || isTextOrMissing(starttls))
  );
}

function isStageResult(value: unknown): value is StageResult {
  return isRecord(value) && STAGE_STATUSES.includes(value['status']) && isTextOrMissing(value['reason']);
}

function isCertificate(value: unknown): value is Certificate {
  if (!isRecord(value)) return false;
  const texts = ['commonName', 'issuer', 'subject', 'serialNumber', 'signatureAlgorithm', 'keyType', 'pem'];
  return (
    texts.every(name => typeof value[name] === 'string') &&
    typeof value['fingerprint256'] === 'string' &&
    value['fingerprint256'] !== '' &&
    isListOf(value['subjectAltNames'], isText) &&
    typeof value['keyBits'] === 'number' &&
    typeof value['selfSigned'] === 'boolean' &&
    isDate(value['notBefore']) &&
    isDate(value['notAfter'])
  );
}

function isCipher(value: unknown): value is Cipher {
  if (!isRecord(value)) return false;
  return (
    PROTOCOLS.some(protocol => protocol === value['protocol']) &&
    ['id', 'name', 'opensslName'].every(name => typeof value[name] === 'string') &&
    CLASSES.includes(value['class']) &&
    isListOf(value['reasons'], isText) &&
    isPortOrMissing(value['port'])
  );
}

function isCheck(value: unknown): value is Check {
  if (!isRecord(value)) return false;
  const { id, verdict, detail, port, fingerprint256 } = value;
  return (
    typeof id === 'string' &&
    VERDICTS.includes(verdict) &&
    [detail, fingerprint256].every(isTextOrMissing) &&
    isPortOrMissing(port)
  );
}

/** What a message holds beside what is looked at here may be a BigInt or a circle, which can't be kept. */
function isJson(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= HIGHEST_PORT;
}

function isPortOrMissing(value: unknown): value is number | undefined {
  return value === undefined || isPort(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTextOrMissing(value: unknown): value is string | undefined {
  return value === undefined || isText(value);
}

function isDate(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
