import { setTimeout as delay } from 'node:timers/promises';
import { EventEmitter, once } from 'node:events';
import type { Helpdesk, Ticket, TicketDraft } from '../../lib/helpdesks/helpdesk';
import { local } from '../../lib/helpdesks/local';
import type { CertDeskError } from '../../lib/model/errors';
import type { Notification, Reason } from '../../lib/model/finding';
import type { TicketRecord } from '../../lib/model/ticket';
import { openRepository } from '../../lib/repository/open';
import type { LocalTicket, Repository, Work } from '../../lib/repository/repository';
import { Desk, type DeskOptions, type QueueState } from '../../lib/tickets/desk';
import { DEFAULT_TICKET_SETTINGS, type TicketSettings } from '../../lib/tickets/settings';
import type { Place, Product } from '../support/repositories';
import { SCANNED_BY } from './samples';

export const DESK = 'lab';

type Call = 'find' | 'create' | 'get' | 'addNote' | 'notes' | 'reopen' | 'resolve';

/** What goes wrong with one call: before it reaches the helpdesk, after it was done there, or before it is done `lateMs` on. */
export interface Fault {
  call: Call;
  when: 'before' | 'after' | 'late';
  error: Error;
  lateMs?: number;
}

/** The local desk behind a connection that fails as told, and that counts what it is asked. */
export class FaultyHelpdesk implements Helpdesk {
  readonly calls: Call[] = [];
  /** Used up in order, each by the next call of its name. */
  faults: Fault[] = [];
  /** Fails every call while it is set. */
  outage: Error | null = null;
  /** Ids that the helpdesk says were deleted. */
  readonly deleted = new Set<string>();
  /** Ids that were merged into others. */
  readonly merged = new Map<string, string>();
  /** What is still on its way. */
  arriving: Promise<unknown> = Promise.resolve();
  /** Waited for before every call. */
  gate: Promise<void> = Promise.resolve();
  /** Changes tickets as they are read. */
  twist: (ticket: Ticket) => Ticket = ticket => ticket;

  constructor(private readonly real: Helpdesk) {}

  find(key: string): Promise<Ticket[]> {
    return this.through('find', async () =>
      (await this.real.find(key))
        .filter(ticket => !this.deleted.has(ticket.id) && !this.merged.has(ticket.id))
        .map(this.twist),
    );
  }
  create(draft: TicketDraft): Promise<Ticket> {
    return this.through('create', () => this.real.create(draft));
  }
  get(ids: string[]): Promise<Map<string, Ticket>> {
    return this.through('get', async () => {
      const real = await this.real.get(ids.map(id => this.merged.get(id) ?? id));
      const found = ids.flatMap(id => {
        const ticket = real.get(this.merged.get(id) ?? id);
        return ticket === undefined ? [] : [[id, { ...this.twist(ticket), isGone: this.deleted.has(id) }] as const];
      });
      return new Map(found);
    });
  }
  addNote(id: string, text: string): Promise<void> {
    return this.through('addNote', () => this.real.addNote(id, text));
  }
  notes(id: string): Promise<string[] | null> {
    return this.through('notes', () => this.real.notes(id));
  }
  reopen(id: string): Promise<Ticket> {
    return this.through('reopen', () => this.real.reopen(id));
  }
  resolve(id: string, fields: Readonly<Record<string, unknown>>): Promise<Ticket> {
    return this.through('resolve', () => this.real.resolve(id, fields));
  }
  check(target: Readonly<Record<string, string>>): ReturnType<Helpdesk['check']> {
    return this.real.check(target);
  }

  count(call: Call): number {
    return this.calls.filter(made => made === call).length;
  }

  private async through<T>(call: Call, job: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    await this.gate;
    if (this.outage !== null) throw this.outage;
    const index = this.faults.findIndex(fault => fault.call === call);
    const [fault] = index < 0 ? [] : this.faults.splice(index, 1);
    if (fault?.when === 'before') throw fault.error;
    if (fault?.when === 'late') {
      this.arriving = delay(fault.lateMs).then(job);
      throw fault.error;
    }
    const answer = await job();
    if (fault !== undefined) throw fault.error;
    return answer;
  }
}

/** One repository, one helpdesk, and desks over them that all end with `close`. */
export class DeskLab {
  readonly records: { record: TicketRecord; work: Work }[] = [];
  readonly parked: { error: CertDeskError; work: Work }[] = [];
  readonly warnings: string[] = [];
  queue: QueueState = { queued: 0, parked: 0, reason: null, code: null };
  private readonly events = new EventEmitter();
  private readonly desks: Desk[] = [];

  private constructor(
    readonly repository: Repository,
    readonly helpdesk: FaultyHelpdesk,
    private readonly place?: Place,
  ) {}

  /** With a repository in memory, or in a place of its own of a product. */
  static async open(product?: Product): Promise<DeskLab> {
    const place = await product?.make();
    const repository = await openRepository(place?.options ?? { kind: 'sqlite', path: ':memory:' });
    const services = { localTickets: repository.localTickets, now: () => new Date() };
    return new DeskLab(repository, new FaultyHelpdesk(local.connect({ values: {}, statusMap: {} }, services)), place);
  }

  desk(settings: Partial<TicketSettings> = {}, options: Partial<DeskOptions> = {}): Desk {
    const desk = new Desk({
      desk: DESK,
      nodeId: 'node-1',
      helpdesk: this.helpdesk,
      type: local,
      repository: this.repository,
      settings: { ...DEFAULT_TICKET_SETTINGS, ...settings },
      scannedBy: SCANNED_BY,
      onRecord: (record, work) => {
        this.records.push({ record, work });
        this.events.emit('record');
      },
      onParked: (error, work) => {
        this.parked.push({ error, work });
        this.events.emit('parked');
      },
      onQueue: state => {
        this.queue = state;
        this.events.emit('queue');
      },
      onWarning: text => this.warnings.push(text),
      retry: { firstMs: 20, mostMs: 40 },
      ...options,
    });
    this.desks.push(desk);
    return desk;
  }

  /** Waits until an event has made it true. */
  async until(event: 'record' | 'parked' | 'queue', isTrue: () => boolean, limitMs = 5_000): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    while (!isTrue()) await once(this.events, event, { signal });
  }

  tickets(key: string): Promise<LocalTicket[]> {
    return this.repository.localTickets.findByKey(key);
  }

  /** The only ticket of a key. */
  async ticket(key: string): Promise<LocalTicket> {
    const [ticket, ...more] = await this.tickets(key);
    if (ticket === undefined || more.length > 0) throw new Error(`${more.length + (ticket ? 1 : 0)} tickets of ${key}`);
    return ticket;
  }

  async setStatus(key: string, status: string): Promise<void> {
    const { id } = await this.ticket(key);
    await this.repository.localTickets.setStatus(id, status, new Date().toISOString());
  }

  async close(): Promise<void> {
    for (const desk of this.desks) await desk.close();
    await this.repository.close();
    await this.place?.remove();
  }
}

export function notification(reason: Reason): { notification: Notification; message: Record<string, unknown> } {
  return { notification: { reason, threshold: null, count: 1, lastAt: null }, message: {} };
}
