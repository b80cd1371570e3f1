import { CHECK_IDS } from '../model/checks';
import type { Endpoint } from '../model/endpoint';
import { PROTOCOLS, STAGES, type EndpointReport, type Protocol, type Stage, type StageResult } from '../model/report';
import type { ScanSettings } from './settings';
import { wantedChecks } from './wanted-checks';

/** What a report tells beside where and why it failed. */
export interface UnreachableContext {
  runId: string;
  settings: Pick<ScanSettings, 'profile' | 'checks'>;
  scannedAt: string;
  durationMs?: number;
  connections?: number;
}

/**
 * The report of an endpoint that could not be looked at: `stage` failed for `reason` (a short upper-case word), those
 * before it went well, those after it were never reached. Nothing is known then, so nothing counts as clean: every check
 * that was wanted says `cannot-tell`.
 */
export function makeUnreachable(
  endpoint: Endpoint,
  stage: Exclude<Stage, 'trust'>,
  reason: string,
  { runId, settings, scannedAt, durationMs = 0, connections = 0 }: UnreachableContext,
): EndpointReport {
  const wanted = wantedChecks(settings);
  const detail = `The server could not be asked: ${stage} ${reason}`;
  return {
    endpoint,
    runId,
    scannedAt,
    durationMs,
    connections,
    status: 'unreachable',
    stages: stagesUntil(endpoint, stage, reason),
    certificate: null,
    chain: [],
    otherCertificates: [],
    protocols: Object.fromEntries(PROTOCOLS.map(protocol => [protocol, 'cannot-tell'])) as Record<
      Protocol,
      'cannot-tell'
    >,
    ciphers: [],
    checks: CHECK_IDS.map(id => {
      if (!wanted.has(id)) return { id, verdict: 'skipped', port: endpoint.port };
      return { id, verdict: 'cannot-tell', detail, port: endpoint.port };
    }),
  };
}

function stagesUntil(endpoint: Endpoint, failed: Stage, reason: string): Record<Stage, StageResult> {
  const failedAt = STAGES.indexOf(failed);
  const isApplicable: Partial<Record<Stage, boolean>> = {
    dns: endpoint.domain !== null,
    starttls: endpoint.starttls !== null,
  };
  const results = STAGES.map((stage, index): [Stage, StageResult] => {
    if (index === failedAt) return [stage, { status: 'failed', reason }];
    return [stage, { status: index < failedAt && isApplicable[stage] !== false ? 'ok' : 'skipped' }];
  });
  return Object.fromEntries(results) as Record<Stage, StageResult>;
}
