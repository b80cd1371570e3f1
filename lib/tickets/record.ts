import type { Ticket } from '../helpdesks/helpdesk';
import { placeOf, type Endpoint } from '../model/endpoint';
import type { Finding } from '../model/finding';
import type { TicketAction, TicketRecord } from '../model/ticket';
import type { Step } from './decide';
import type { DeskWork } from './work';

/** What happened, by the most telling of the steps that were done. */
const ACTIONS: readonly (readonly [Step, TicketAction])[] = [
  ['create', 'created'],
  ['follow-up', 'followed-up'],
  ['reopen', 'reopened'],
  ['resolve', 'resolved'],
  ['add-results', 'updated'],
  ['note-places', 'commented'],
  ['note-cleared', 'commented'],
];

export function actionOf(done: readonly Step[], hasTicket: boolean): TicketAction {
  return ACTIONS.find(([step]) => done.includes(step))?.[1] ?? (hasTicket ? 'left' : 'none');
}

/** The record of a key that has no ticket. */
export function emptyRecord(helpdesk: string, finding: Finding, at: string): TicketRecord {
  return {
    action: 'none',
    helpdesk,
    id: '',
    number: '',
    url: null,
    status: 'Unknown',
    nativeStatus: '',
    priority: '',
    key: finding.key,
    kind: finding.kind,
    subject: '',
    domain: finding.endpoints[0]?.domain ?? null,
    ip: finding.endpoints[0]?.ip ?? null,
    serialNumber: finding.certificate.serialNumber,
    endpoints: finding.endpoints,
    createdAt: at,
    updatedAt: at,
  };
}

/** What a work starts from: the record kept of its key, or an empty one. */
export function baseRecord(helpdesk: string, work: DeskWork, row: TicketRecord | null, now: Date): TicketRecord {
  const at = now.toISOString();
  if (row === null) return emptyRecord(helpdesk, work.finding, at);
  const { error: _, ...known } = row;
  return { ...known, updatedAt: at };
}

/** A record brought to what the helpdesk says now. */
export function withTicket(record: TicketRecord, ticket: Ticket): TicketRecord {
  const { id, number, url, status, nativeStatus, priority, subject } = ticket;
  return { ...record, id, number, url, status, nativeStatus, priority, subject, createdAt: ticket.createdAt };
}

/** Items of both, each name once. */
export function union<T>(known: readonly T[], more: readonly T[], nameOf: (item: T) => string): T[] {
  return [...new Map([...known, ...more].map(item => [nameOf(item), item])).values()];
}

/** Places among `now` that none of `named` is at. */
export function newPlaces(named: readonly Endpoint[], now: readonly Endpoint[]): string[] {
  const known = new Set(named.map(placeOf));
  return [...new Set(now.map(placeOf))].filter(place => !known.has(place));
}

/** Whether two records say the same, what was done last and when aside. */
export function isSame(a: TicketRecord, b: TicketRecord): boolean {
  const bare = ({ action: _action, updatedAt: _at, error: _error, ...rest }: TicketRecord): string =>
    JSON.stringify(Object.entries(rest).sort(([x], [y]) => (x < y ? -1 : 1)));
  return bare(a) === bare(b);
}
