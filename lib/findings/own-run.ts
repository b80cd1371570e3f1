import { randomUUID } from 'node:crypto';

const PREFIX = 'own-';

/** The id of a run that is no scan's: one message, one trigger. It is over as soon as it is told. */
export function makeOwnRunId(): string {
  return `${PREFIX}${randomUUID()}`;
}

/** Whether nothing has to be waited for: no repository will say that such a run has ended. */
export function isOwnRun(runId: string | null): boolean {
  return runId === null || runId.startsWith(PREFIX);
}
