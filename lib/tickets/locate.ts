import type { Helpdesk, Ticket } from '../helpdesks/helpdesk';
import { isOver, type TicketRecord } from '../model/ticket';
import type { TicketReader } from './reader';

/** Where a key's ticket stands. */
export interface Located {
  ticket: Ticket | null;
  /** We had one, and it was deleted or merged away. */
  isGone: boolean;
  /** Further open tickets that carry the key; known only when a search was needed. */
  others: Ticket[];
}

/**
 * The ticket of a key: by the row kept here first, then by a search, since the repository may be new or restored.
 * A row's ticket that is over is compared with what else carries the key: open before closed. `isUnsure`: a create
 * may have made a second one, so the search is needed whatever the row says.
 */
export async function locate(
  helpdesk: Helpdesk,
  reader: TicketReader,
  key: string,
  row: TicketRecord | null,
  isUnsure: boolean,
): Promise<Located> {
  const known = row === null || row.id === '' ? null : await reader.read(row.id);
  const own = known !== null && row !== null && isOwn(known, row) ? known : null;
  if (own !== null && !isOver(own.status) && !isUnsure) return { ticket: own, isGone: false, others: [] };
  const found = (await helpdesk.find(key)).filter(ticket => ticket.key === key && !ticket.isGone);
  const isFound = found.some(ticket => ticket.id === own?.id);
  const ticket = choose(own === null || isFound ? found : [...found, own]);
  return {
    ticket,
    isGone: ticket === null && row !== null && row.id !== '',
    others: found.filter(other => other.id !== ticket?.id && !isOver(other.status)),
  };
}

/** The ticket that the row names, when it is still ours and not over; what needs no search to be sure of. */
export async function glanceOpen(
  reader: TicketReader,
  row: TicketRecord,
  runId: string | null,
): Promise<Ticket | null> {
  const known = await reader.glance(row.id, runId);
  return known !== null && isOwn(known, row) && !isOver(known.status) ? known : null;
}

/**
 * Whether what the helpdesk gives for the row's id is the ticket that the row means. A helpdesk that was set up anew
 * gives the number to somebody else's. One whose key was edited away is known by its subject; of a merged ticket the
 * helpdesk gives the target, which is taken over.
 */
function isOwn(ticket: Ticket, row: TicketRecord): boolean {
  if (ticket.isGone) return false;
  return ticket.key === row.key || ticket.id !== row.id || ticket.subject === row.subject;
}

/** Open before closed; among open ones the oldest; among closed ones what can be opened again, then the newest. */
function choose(tickets: readonly Ticket[]): Ticket | null {
  const oldestFirst = [...tickets].sort(
    (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || Number(a.id) - Number(b.id),
  );
  return (
    oldestFirst.find(ticket => !isOver(ticket.status)) ??
    oldestFirst.findLast(ticket => ticket.isFinal !== true) ??
    oldestFirst.at(-1) ??
    null
  );
}
