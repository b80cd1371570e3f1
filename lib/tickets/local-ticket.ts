import { CertDeskError } from '../model/errors';
import type { TicketRecord } from '../model/ticket';
import type { LocalNote, Repository } from '../repository/repository';

/** Name under which the local desk keeps its records. */
export const LOCAL = 'local';

/** A ticket of the local desk with what a technician would read of it in a helpdesk. */
export type ReadableTicket = TicketRecord & {
  body: string;
  /** Oldest first. */
  notes: LocalNote[];
};

/** The record of a ticket that the local desk has opened. Throws CertDeskError `NOT_FOUND` when there is none. */
export async function localRecord(repository: Repository, key: string): Promise<TicketRecord> {
  const record = await repository.ticket(LOCAL, key);
  if (record === null || record.id === '') throw notFound();
  return record;
}

/** Reads a ticket of the local desk with its text and notes. Throws CertDeskError `NOT_FOUND` when there is none. */
export async function readLocalTicket(repository: Repository, key: string): Promise<ReadableTicket> {
  const record = await localRecord(repository, key);
  const [ticket] = await repository.localTickets.get([record.id]);
  if (ticket === undefined) throw notFound();
  return { ...record, body: ticket.body, notes: ticket.notes };
}

function notFound(): CertDeskError {
  return new CertDeskError('NOT_FOUND', 'The local desk has no ticket of that key; other desks have their own pages.');
}
