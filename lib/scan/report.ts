import {
  PROTOCOLS,
  type Check,
  type EndpointReport,
  type Protocol,
  type ProtocolState,
  type StageResult,
} from '../model/report';
import { hasShownAllKinds, type Observation } from './observation';
import { makeChecks, type Answers } from './probes/registry';
import type { Reply } from './reply';
import type { ScanSettings } from './settings';
import { toCipher, type Suite } from './suites/suites';

/** What a scan tells beside what it saw. */
export interface ReportFrame {
  runId: string;
  settings: Pick<ScanSettings, 'checks' | 'profile'>;
  durationMs: number;
  connections: number;
  answers: Answers;
}

const OK: StageResult = { status: 'ok' };
const SKIPPED: StageResult = { status: 'skipped' };
const failed = (reason: string): StageResult => ({ status: 'failed', reason });

/** Puts what was seen of an endpoint that answered into the report of the contract. */
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
    stages: {
      dns: endpoint.domain === null ? SKIPPED : OK,
      tcp: OK,
      starttls: endpoint.starttls === null ? SKIPPED : OK,
      handshake: OK,
      trust: trustStage(seen),
    },
    certificate: first?.leaf.certificate ?? null,
    chain: first?.chain.map(({ certificate }) => certificate) ?? [],
    otherCertificates: others.map(({ leaf }) => leaf.certificate),
    ...(hasShownAllKinds(seen) ? {} : { certificatesComplete: false as const }),
    protocols: byProtocol(protocol => seen.protocols[protocol].state),
    ciphers: PROTOCOLS.flatMap(protocol =>
      suitesInOrder(seen, protocol).map(suite => toCipher(suite, protocol, endpoint.port)),
    ),
    checks: makeChecks(seen, frame.settings, frame.answers),
  };
}

function byProtocol(stateOf: (protocol: Protocol) => ProtocolState): Record<Protocol, ProtocolState> {
  return Object.fromEntries(PROTOCOLS.map(protocol => [protocol, stateOf(protocol)])) as Record<
    Protocol,
    ProtocolState
  >;
}

const DOUBTED = 'Its refusals can not be believed: it closes connections for other reasons too, or no longer answers.';

/** The same report with what was found in it, and nothing that rests on a refusal. */
export function doubt(report: EndpointReport): EndpointReport {
  const isClear = ({ verdict }: Check): boolean => verdict === 'ok' || verdict === 'not-applicable';
  return {
    ...report,
    status: 'partial',
    certificatesComplete: false,
    protocols: byProtocol(protocol => {
      const state = report.protocols[protocol];
      return state === 'refused' ? 'cannot-tell' : state;
    }),
    checks: report.checks.map(check =>
      isClear(check) ? { ...check, verdict: 'cannot-tell', detail: DOUBTED } : check,
    ),
  };
}

/** In the server's order where it has one and was asked for it, else in the table's. */
function suitesInOrder(seen: Observation, protocol: Protocol): Suite[] {
  const preference = seen.preference.get(protocol) ?? [];
  const rank = (suite: Suite): number => (preference.includes(suite) ? preference.indexOf(suite) : Infinity);
  return [...seen.accepted[protocol]].sort((a, b) => rank(a) - rank(b) || a.order - b.order);
}

/** Partial: something of the base (versions, suites, certificate) stayed open. */
function statusOf(seen: Observation): EndpointReport['status'] {
  const isOpen = PROTOCOLS.some(protocol => seen.protocols[protocol].state === 'cannot-tell');
  const isWhole = seen.undecided.length === 0 && seen.served.length > 0 && hasShownAllKinds(seen);
  return isOpen || !isWhole ? 'partial' : 'scanned';
}

/** Where a scan failed of which no hello was answered, and why, in one word. */
export function failureOf(first: Reply): { stage: 'tcp' | 'starttls' | 'handshake'; reason: string } {
  if (first.kind === 'unknown') {
    const { how, word } = first;
    return { stage: how === 'not-connected' ? 'tcp' : how === 'no-starttls' ? 'starttls' : 'handshake', reason: word };
  }
  const isAlert = first.kind === 'refused' && first.alert !== null;
  return { stage: 'handshake', reason: isAlert ? first.reason.replace(/^alert /, '').toUpperCase() : 'REFUSED' };
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
