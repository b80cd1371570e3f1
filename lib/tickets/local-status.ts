import type { TicketRecord, TicketStatus } from '../model/ticket';
import type { Repository } from '../repository/repository';
import { LOCAL, localRecord } from './local-ticket';

/** Sets the status of a ticket of the local desk by hand, as a technician would in a helpdesk. */
export async function setLocalStatus(
  repository: Repository,
  key: string,
  status: TicketStatus,
  now: Date,
): Promise<TicketRecord> {
  const record = await localRecord(repository, key);
  const updatedAt = now.toISOString();
  await repository.localTickets.setStatus(record.id, status, updatedAt);
  const changed: TicketRecord = { ...record, status, nativeStatus: status, updatedAt };
  await repository.saveTicket(LOCAL, changed);
  return changed;
}
