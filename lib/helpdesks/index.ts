import { CertDeskError } from '../model/errors';
import type { HelpdeskType } from './helpdesk';
import { local } from './local';
import { requestTracker } from './request-tracker';

/** Every helpdesk that CertDesk knows; nodes, dialogs and docs are made from what each declares. */
export const HELPDESKS: readonly HelpdeskType[] = [requestTracker, local];

/** @throws CertDeskError `CONFIG` for a name that is none of them */
export function helpdeskType(name: string): HelpdeskType {
  const type = HELPDESKS.find(candidate => candidate.name === name);
  if (type === undefined) throw new CertDeskError('CONFIG', `There is no helpdesk "${name}".`);
  return type;
}
