import { CertDeskError, asCertDeskError } from '../model/errors';
import type { LocalTicket, LocalTickets } from '../repository/repository';
import { isOver, type TicketStatus } from '../model/ticket';
import { cutLine, cutText } from './cut';
import type { Capabilities, CheckResult, Helpdesk, HelpdeskType, Ticket, TicketDraft } from './helpdesk';
import { understandStatus } from './status';

const STATUSES: Readonly<Record<string, TicketStatus>> = {
  open: 'Open',
  'in progress': 'In Progress',
  'on hold': 'On Hold',
  resolved: 'Resolved',
  canceled: 'Canceled',
  closed: 'Closed',
};

/** Nothing but the database bounds it: these keep a page readable. */
const CAPABILITIES: Capabilities = {
  canReadNotes: true,
  searchLagMs: 0,
  settleMs: 0,
  bulkSize: 500,
  subjectMax: 1_000,
  textMax: 1_000_000,
};

/** The embedded desk: tickets live in the repository, and nothing has to be set up. */
export const local: HelpdeskType = {
  name: 'local',
  label: 'Local',
  connectionFields: [],
  ticketFields: [],
  statuses: STATUSES,
  capabilities: CAPABILITIES,
  connect(connection, services) {
    if (services.localTickets === undefined) throw new CertDeskError('CONFIG', 'The local desk needs a repository.');
    return new LocalDesk(services.localTickets, connection.statusMap, () => services.now());
  },
};

class LocalDesk implements Helpdesk {
  constructor(
    private readonly tickets: LocalTickets,
    private readonly statusMap: Readonly<Record<string, TicketStatus>>,
    private readonly now: () => Date,
  ) {}

  async find(key: string): Promise<Ticket[]> {
    if (key === '') throw new CertDeskError('INVALID', 'An empty key is never searched for.');
    const found = await guard(this.tickets.findByKey(key));
    return found.filter(ticket => ticket.key === key).map(ticket => this.toTicket(ticket));
  }

  async create(draft: TicketDraft): Promise<Ticket> {
    const at = this.now().toISOString();
    const { key, priority } = draft;
    const subject = cutLine(draft.subject, CAPABILITIES.subjectMax);
    const body = cutText(draft.body, CAPABILITIES.textMax);
    const ticket = { key, subject, body, priority, status: 'Open', createdAt: at, updatedAt: at, notes: [] };
    return this.toTicket(await guard(this.tickets.create(ticket)));
  }

  async get(ids: string[]): Promise<Map<string, Ticket>> {
    const found = await guard(this.tickets.get(ids));
    return new Map(found.map(ticket => [ticket.id, this.toTicket(ticket)]));
  }

  async addNote(id: string, text: string): Promise<void> {
    await this.read(id);
    await guard(this.tickets.addNote(id, { at: this.now().toISOString(), text }));
  }

  async notes(id: string): Promise<string[]> {
    const [ticket] = await guard(this.tickets.get([id]));
    return (ticket?.notes ?? []).map(note => note.text);
  }

  async reopen(id: string): Promise<Ticket> {
    await guard(this.tickets.setStatus(id, 'Open', this.now().toISOString()));
    const ticket = await this.read(id);
    if (isOver(ticket.status)) throw new CertDeskError('CONFLICT', `Ticket ${id} stayed ${ticket.nativeStatus}.`);
    return ticket;
  }

  async resolve(id: string): Promise<Ticket> {
    await guard(this.tickets.setStatus(id, 'Resolved', this.now().toISOString()));
    const ticket = await this.read(id);
    if (!isOver(ticket.status)) throw new CertDeskError('CONFLICT', `Ticket ${id} stayed ${ticket.nativeStatus}.`);
    return ticket;
  }

  async check(): Promise<CheckResult[]> {
    try {
      await this.tickets.get([]);
      return [{ id: 'reachable', ok: true, detail: 'The repository answers.' }];
    } catch (error) {
      return [{ id: 'reachable', ok: false, detail: asCertDeskError(error, 'REPOSITORY').message }];
    }
  }

  private async read(id: string): Promise<Ticket> {
    const ticket = (await this.get([id])).get(id);
    if (ticket === undefined) throw new CertDeskError('NOT_FOUND', `The local desk has no ticket ${id}.`);
    return ticket;
  }

  private toTicket(ticket: LocalTicket): Ticket {
    return {
      id: ticket.id,
      number: ticket.id,
      url: null,
      key: ticket.key,
      subject: ticket.subject,
      nativeStatus: ticket.status,
      status: understandStatus({ name: ticket.status }, { user: this.statusMap, known: STATUSES }),
      priority: ticket.priority,
      isGone: false,
      createdAt: ticket.createdAt,
    };
  }
}

async function guard<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asCertDeskError(error, 'REPOSITORY');
  }
}
