import { asCertDeskError } from '../model/errors';
import type { CheckResult } from './helpdesk';

/** One check: right when the job ends well, else with the error's text. */
export async function tryCheck(id: string, fine: string, job: () => Promise<unknown>): Promise<CheckResult> {
  try {
    await job();
    return { id, ok: true, detail: fine };
  } catch (error) {
    return { id, ok: false, detail: asCertDeskError(error, 'PROTOCOL').message };
  }
}

/**
 * The first two checks of every helpdesk, by one request that needs nothing but credentials: what refuses them was
 * reached, and everything else wasn't.
 */
export async function checkConnection(label: string, job: () => Promise<unknown>): Promise<CheckResult[]> {
  const reachable = { id: 'reachable', ok: true, detail: `${label} answers.` };
  try {
    await job();
    return [reachable, { id: 'credentials', ok: true, detail: 'The credentials are accepted.' }];
  } catch (thrown) {
    const { code, message } = asCertDeskError(thrown, 'PROTOCOL');
    if (code !== 'AUTH' && code !== 'FORBIDDEN') return [{ id: 'reachable', ok: false, detail: message }];
    return [reachable, { id: 'credentials', ok: false, detail: message }];
  }
}
