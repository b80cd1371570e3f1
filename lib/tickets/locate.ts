import type { Helpdesk, Ticket } from '../helpdesks/helpdesk';
import { isOver, type TicketRecord } from '../model/ticket';
import type { TicketReader } from './reader';

/** Where a key's ticket stands. */
export interface Located {
  ticket: Ticket | null;
  /** We had one, and it was deleted or merged away. */
  isGone: boolean;
}

/**
 * The ticket of a key: by the row kept here first, then by a search, since the repository may be new or restored.
 * A row's ticket that is over is compared with what else carries the key: open before closed.
 */
export async function locate(
  helpdesk: Helpdesk,
  reader: TicketReader,
  key: string,
  row: TicketRecord | null,
): Promise<Located> {
  const known = row === null || row.id === '' ? null : await reader.read(row.id);
  const own = known !== null && row !== null && isOwn(known, row) ? known : null;
  if (own !== null && !isOver(own.status)) return { ticket: own, isGone: false };
  const found = choose((await helpdesk.find(key)).filter(ticket => ticket.key === key && !ticket.isGone));
  if (own !== null) return { ticket: found !== null && !isOver(found.status) ? found : own, isGone: false };
  return { ticket: found, isGone: found === null && row !== null && row.id !== '' };
}

/** The ticket that the row names, when it is still ours and not over; what needs no search to be sure of. */
export async function readOpen(reader: TicketReader, row: TicketRecord): Promise<Ticket | null> {
  const known = await reader.read(row.id);
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

/** Open before closed; among open ones the oldest, among closed ones the newest. */
export function choose(tickets: readonly Ticket[]): Ticket | null {
  const oldestFirst = [...tickets].sort(
    (a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt) || Number(a.id) - Number(b.id),
  );
  return oldestFirst.find(ticket => !isOver(ticket.status)) ?? oldestFirst.at(-1) ?? null;
}
