import type { Endpoint } from '../model/endpoint';
import { PROTOCOLS, type EndpointReport, type Protocol, type ProtocolState, type StageResult } from '../model/report';
import { hasAnswered, type Observation } from './observation';
import { makeChecks } from './probes/registry';
import type { Reply } from './reply';
import type { ScanSettings } from './settings';
import { toCipher } from './suites/suites';

/** What a scan tells beside what it saw. */
export interface ReportFrame {
  runId: string;
  settings: Pick<ScanSettings, 'checks' | 'profile'>;
  durationMs: number;
  connections: number;
  stages: EndpointReport['stages'];
}

const OK: StageResult = { status: 'ok' };
const SKIPPED: StageResult = { status: 'skipped' };
const failed = (reason: string): StageResult => ({ status: 'failed', reason });

/** Puts what was seen into the report of the contract. */
export function makeReport(seen: Observation, frame: ReportFrame): EndpointReport {
  const { endpoint } = seen;
  const [first, ...others] = seen.served;
  return {
    endpoint,
    runId: frame.runId,
    scannedAt: seen.at.toISOString(),
    durationMs: frame.durationMs,
    connections: frame.connections,
    status: statusOf(seen),
    stages: frame.stages,
    certificate: first?.leaf.certificate ?? null,
    chain: first?.chain.map(({ certificate }) => certificate) ?? [],
    otherCertificates: others.map(({ leaf }) => leaf.certificate),
    protocols: Object.fromEntries(PROTOCOLS.map(protocol => [protocol, seen.protocols[protocol].state])) as Record<
      Protocol,
      ProtocolState
    >,
    ciphers: PROTOCOLS.flatMap(protocol =>
      [...seen.accepted[protocol]]
        .sort((a, b) => a.order - b.order)
        .map(suite => toCipher(suite, protocol, endpoint.port)),
    ),
    checks: makeChecks(seen, frame.settings),
  };
}

/** Partial: something of the base (versions, suites, certificate) stayed open. */
function statusOf(seen: Observation): EndpointReport['status'] {
  if (!hasAnswered(seen)) return 'unreachable';
  const isOpen = PROTOCOLS.some(protocol => seen.protocols[protocol].state === 'cannot-tell');
  return isOpen || seen.undecided.length > 0 || seen.served.length === 0 ? 'partial' : 'scanned';
}

/** The stages of a scan whose first hello brought `first`. */
export function stagesOf(seen: Observation, first: Reply): EndpointReport['stages'] {
  const stages = { ...stagesBefore(seen.endpoint), tcp: OK };
  if (hasAnswered(seen)) return { ...stages, handshake: OK, trust: trustStage(seen) };
  const reason = first.kind === 'unknown' ? first.word : wordOf(first);
  if (first.kind === 'unknown' && first.how === 'not-connected') return { ...stages, tcp: failed(reason) };
  return { ...stages, handshake: failed(reason) };
}

/** Before anything was sent. */
function stagesBefore(endpoint: Endpoint): EndpointReport['stages'] {
  return {
    dns: endpoint.domain === null ? SKIPPED : OK,
    tcp: SKIPPED,
    starttls: SKIPPED,
    handshake: SKIPPED,
    trust: SKIPPED,
  };
}

/** The stages of an endpoint that was left before there was an answer. */
export function stagesLeftAt(
  endpoint: Endpoint,
  stage: keyof EndpointReport['stages'],
  reason: string,
): EndpointReport['stages'] {
  return { ...stagesBefore(endpoint), [stage]: failed(reason) };
}

/** `alert handshake_failure` as a stage says it: HANDSHAKE_FAILURE. */
function wordOf(first: Reply): string {
  if (first.kind !== 'refused' || first.alert === null) return 'REFUSED';
  return first.reason.replace(/^alert /, '').toUpperCase();
}

/** What today's client would say of the first certificate, in OpenSSL's words. */
function trustStage(seen: Observation): StageResult {
  const [served] = seen.served;
  if (served === undefined) return { status: 'skipped', reason: 'NO_CERTIFICATE' };
  const { certificate } = served.leaf;
  if (Date.parse(certificate.notAfter) < seen.at.getTime()) return failed('CERT_HAS_EXPIRED');
  if (Date.parse(certificate.notBefore) > seen.at.getTime()) return failed('CERT_NOT_YET_VALID');
  return served.trust.isTrusted ? OK : failed(served.trust.reason);
}
