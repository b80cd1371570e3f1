import type { RunSummary } from '../../lib/model/report';
import { isRecord } from './config';

/** A RunSummary is accepted by policy and ticket nodes and passes nothing on. */
export function isRunSummary(payload: unknown): payload is RunSummary {
  return isRecord(payload) && typeof payload['runId'] === 'string' && typeof payload['finishedAt'] === 'string';
}
