import type { Endpoint } from './endpoint';
import type { ErrorCode } from './errors';
import type { Finding } from './finding';

export const TICKET_STATUSES = ['Open', 'In Progress', 'On Hold', 'Resolved', 'Canceled', 'Closed', 'Unknown'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

/** `updated`: results added; `commented`: a note on places or clearing. */
export type TicketAction =
  'created' | 'reopened' | 'updated' | 'left' | 'commented' | 'resolved' | 'followed-up' | 'queued' | 'parked' | 'none';

/** What happened to the ticket of one Finding, and what is kept locally of it. */
export interface TicketRecord {
  action: TicketAction;
  error?: { code: ErrorCode; message: string };
  /** Adapter name: `request-tracker`, `local`, … */
  helpdesk: string;
  /** '' for queued, parked and none before there is a ticket; so is `number`. */
  id: string;
  number: string;
  url: string | null;
  /** As read back. */
  status: TicketStatus;
  nativeStatus: string;
  /** As read back, in the helpdesk's own words. */
  priority: string;
  key: string;
  kind: Finding['kind'];
  subject: string;
  /** The place's it was created for. */
  domain: string | null;
  ip: string | null;
  serialNumber: string;
  endpoints: Endpoint[];
  createdAt: string;
  updatedAt: string;
  /** What a vulnerability ticket was last told: names of weak suites and check ids. Kept with the record. */
  results?: string[];
  /** When clearing was carried out; absent while the key is active. Kept with the record. */
  clearedAt?: string;
  /** Numbers of tickets of the same key that were closed as duplicates of this one. Kept with the record. */
  duplicates?: string[];
  /** A create without an answer was repeated: until then a second ticket may turn up. Kept with the record. */
  unsureUntil?: string;
}

/** Open, In Progress and On Hold: somebody still has it. */
export function isOver(status: TicketStatus): boolean {
  return status === 'Resolved' || status === 'Canceled' || status === 'Closed';
}
