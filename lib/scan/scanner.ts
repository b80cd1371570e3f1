import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { CheckId } from '../model/checks';
import type { Endpoint } from '../model/endpoint';
import { PROTOCOLS, type Check, type EndpointReport, type Stage } from '../model/report';
import { COUNTED, suiteCauses } from '../model/weak-suites';
import { completeLists, scanBase } from './base-scan';
import { Dialogue } from './dialogue';
import { Line } from './line';
import { hasAnswered, newObservation, type Observation } from './observation';
import { injectEarly } from './probes/ccs-injection';
import { doubt, failureOf, makeReport, type ReportFrame } from './report';
import type { ScanSettings } from './settings';
import { askChecks, askLast, makeChecks, type Answers } from './probes/registry';
import { findStarttls } from './starttls';
import { anchorsWith } from './trust';
import { makeUnreachable } from './unreachable';
import { wantedChecks } from './wanted-checks';

export interface ScanEndpointOptions {
  runId: string;
  /** How many connections may be open at once to this endpoint. */
  connections: number;
  /** Destroys all sockets at once; the report says STOPPED then. */
  signal: AbortSignal;
}

/**
 * Looks at one endpoint and reports. Whatever the other side does, the result is a report: this never rejects. It takes
 * a few times `settings.timeoutMs` at most where nobody answers.
 */
export async function scanEndpoint(
  endpoint: Endpoint,
  settings: ScanSettings,
  options: ScanEndpointOptions,
): Promise<EndpointReport> {
  const started = performance.now();
  const seen = newObservation(endpoint, new Date());
  const frame = (connections: number): Omit<ReportFrame, 'answers'> => ({
    runId: options.runId,
    settings,
    durationMs: Math.round(performance.now() - started),
    connections,
  });
  const unreachable = (stage: Exclude<Stage, 'trust'>, reason: string, connections = 0): EndpointReport =>
    makeUnreachable(endpoint, stage, reason, { ...frame(connections), scannedAt: seen.at.toISOString() });
  if (endpoint.ip === '') return unreachable('dns', 'ENOTFOUND');
  if (!(endpoint.port > 0 && endpoint.port < 65_536)) return unreachable('tcp', 'BAD_PORT');
  const serverName = serverNameOf(endpoint);
  const { starttls } = endpoint;
  const protocol = starttls === null ? null : findStarttls(starttls);
  if (protocol === undefined) return unreachable('starttls', 'UNKNOWN_PROTOCOL');
  const line = new Line({
    host: endpoint.ip,
    port: endpoint.port,
    timeoutMs: settings.timeoutMs,
    connections: Math.max(1, options.connections),
    signal: options.signal,
    ...(protocol === null ? {} : { talk: () => protocol({ name: serverName }) }),
  });
  try {
    const dialogue = new Dialogue(line, seen, serverName, anchorsWith(settings.ca));
    const wanted = wantedChecks(settings);
    const first = await scanBase(dialogue, {
      profile: settings.profile,
      sequel: wanted.has('ccs-injection') ? opened => injectEarly(dialogue, opened) : undefined,
    });
    const answers = hasAnswered(seen) ? await askAndList(dialogue, settings, wanted) : NO_ANSWERS;
    const isTrustworthy = await dialogue.closings.isTrustworthy();
    await line.idle();
    // what was seen of a stopped scan is half a picture, and half a picture must not clear anything
    if (line.isStopped) return unreachable('handshake', 'STOPPED', line.opened);
    if (hasAnswered(seen)) {
      const report = makeReport(seen, { ...frame(line.opened), answers });
      return isTrustworthy ? report : doubt(report);
    }
    const { stage, reason } = failureOf(first);
    return unreachable(stage, reason, line.opened);
  } finally {
    line.close();
  }
}

const NO_ANSWERS: Answers = new Map();

/** Makes the checks that ask themselves, and lists every weak suite once that is worth it; the harmful check comes last. */
async function askAndList(dialogue: Dialogue, settings: ScanSettings, wanted: ReadonlySet<CheckId>): Promise<Answers> {
  const { seen } = dialogue;
  const { profile, completeFor } = settings;
  const isWorthAList = (answers: Answers): boolean =>
    profile === 'quick' && completeFor !== null && isTold(makeChecks(seen, settings, answers), seen, completeFor);
  const before = await askChecks(dialogue, wanted);
  const isListed = isWorthAList(before);
  if (isListed) await completeLists(dialogue);
  const last = await askLast(dialogue, wanted);
  const answers: Answers = new Map([...before, ...last]);
  const isWorse = [...last.values()].some(({ verdict }) => verdict === 'vulnerable');
  if (!isListed && isWorse && isWorthAList(answers)) await completeLists(dialogue);
  return answers;
}

/** Whether somebody will be told of this endpoint, who then needs every weak suite. */
function isTold(checks: readonly Check[], seen: Observation, worth: NonNullable<ScanSettings['completeFor']>): boolean {
  if (checks.some(({ id, verdict }) => verdict === 'vulnerable' && worth.findings.includes(id))) return true;
  return PROTOCOLS.some(protocol =>
    [...seen.accepted[protocol]].some(suite =>
      suiteCauses({ ...suite, protocol }).some(cause => COUNTED[worth.weakFrom].includes(cause)),
    ),
  );
}

/** The name for SNI: in its ASCII form, without a final dot (RFC 6066 section 3); null for an address. */
function serverNameOf({ domain }: Endpoint): string | null {
  if (domain === null || isIP(domain) !== 0) return null;
  const name = domain.replace(/\.$/, '');
  const ascii = domainToASCII(name) || name;
  return /^[\x21-\x7e]{1,255}$/.test(ascii) ? ascii : null;
}
