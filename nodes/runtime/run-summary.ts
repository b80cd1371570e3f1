import type { Finding } from '../../lib/model/finding';
import type { RunSummary } from '../../lib/model/report';
import { isRecord } from './config';

/** A RunSummary is accepted by policy and ticket nodes and passes nothing on. */
export function isRunSummary(payload: unknown): payload is RunSummary {
  return isRecord(payload) && typeof payload['runId'] === 'string' && typeof payload['finishedAt'] === 'string';
}

/** What everything of a run carries: its id, and `force` where it was asked for by hand. */
export function runOf({ runId, forced }: Pick<Finding, 'runId' | 'forced'>): { runId: string | null; force?: true } {
  return { runId, ...(forced === true ? { force: true } : {}) };
}
