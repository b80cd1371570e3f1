import { setTimeout as delay } from 'node:timers/promises';
import { KeyLostError, type Helpdesk, type HelpdeskType, type Ticket, type TicketDraft } from '../helpdesks/helpdesk';
import { CertDeskError } from '../model/errors';
import type { TicketRecord } from '../model/ticket';
import type { Repository } from '../repository/repository';
import { decide, type Step } from './decide';
import { locate, readOpen, type Located } from './locate';
import type { TicketReader } from './reader';
import { actionOf, emptyRecord, isSame, newPlaces, union, withTicket } from './record';
import { withOverrides, type TicketSettings } from './settings';
import { renderFields, viewOf } from './template';
import { clearedNote, followUpBody, placesNote, resultsNote, resultsOf, ticketTexts } from './texts';
import { noticeOf, noticesOf, reasonOf, toRow, type DeskWork } from './work';

/** After an uncertain create the look waits out search lags up to this; longer ones are left to the next try. */
const LONGEST_WAIT_MS = 10_000;

export interface CarrierOptions {
  helpdesk: Helpdesk;
  type: HelpdeskType;
  repository: Repository;
  reader: TicketReader;
  settings: TicketSettings;
  scannedBy: string;
  onWarning(text: string): void;
  now(): Date;
}

/** Carries out the decision on one key. The caller sees to it that nobody else acts on that key meanwhile. */
export class Carrier {
  constructor(private readonly options: CarrierOptions) {}

  /**
   * The record of a Finding that changes nothing at the helpdesk; null when it does, or when only a search can tell.
   * Asks the helpdesk at most for the status of the row's ticket.
   */
  async look(work: DeskWork): Promise<TicketRecord | null> {
    const { repository, reader } = this.options;
    const { finding, desk, key } = work;
    const row = await repository.ticket(desk, key);
    const isTold = finding.state === 'cleared' && row?.clearedAt !== undefined;
    if (finding.state === 'unknown' || isTold) return { ...this.base(work, row), action: row?.id ? 'left' : 'none' };
    if (row === null || row.id === '') return null;
    const ticket = await readOpen(reader, row);
    if (ticket === null) return null;
    const steps = this.decide(work, row, { ticket, isGone: false });
    if (!steps.every(step => step === 'leave' || step === 'warn')) return null;
    return this.finish(work, row, ticket, steps, []);
  }

  /**
   * Decides on the ticket as it is now and brings it to where it should be.
   * @param isFresh nothing was sent for this work before, so no trace of it needs to be looked for
   */
  async carryOut(work: DeskWork, isFresh: boolean): Promise<TicketRecord> {
    const { helpdesk, reader, repository } = this.options;
    let row = await repository.ticket(work.desk, work.key);
    const located = await locate(helpdesk, reader, work.key, row);
    const adopted = located.ticket === null ? null : this.adopt(work, row, located.ticket);
    if (adopted !== null) row = adopted;
    const { trying, marker, done } = work.message;
    // Made by this very Finding: what it has to say is in the new ticket.
    if (located.ticket !== null && trying?.marker === marker && done.includes(trying.step)) {
      return this.finish(work, row, located.ticket, [], done);
    }
    const steps = this.decide(work, row, located);
    try {
      return await this.perform(work, row, located, steps, isFresh);
    } catch (error) {
      if (!(error instanceof CertDeskError) || error.code !== 'NOT_FOUND' || located.ticket === null) throw error;
      // Deleted between the look and the change: decided once more on what is there now.
      const again = await locate(helpdesk, reader, work.key, row);
      if (again.ticket?.id === located.ticket.id) throw error;
      return this.perform(work, row, again, this.decide(work, row, again), false);
    }
  }

  private decide(work: DeskWork, row: TicketRecord | null, { ticket, isGone }: Located): Step[] {
    const { finding } = work;
    const before = row?.results ?? [];
    const results = resultsOf(finding);
    const steps = decide(
      {
        kind: finding.kind,
        state: finding.state,
        reason: reasonOf(work),
        ticket: ticket?.status ?? (isGone ? 'gone' : 'none'),
        // Without a row nobody remembers which places the ticket names: it is taken to name those of today.
        hasNewPlaces: row !== null && newPlaces(row.endpoints, finding.endpoints).length > 0,
        hasNewResults: results.length !== before.length || results.some(name => !before.includes(name)),
        wasClearedTold: row?.clearedAt !== undefined,
      },
      this.options.settings,
    );
    // One that somebody took our key off is theirs to resolve.
    return steps.filter(step => step !== 'resolve' || ticket?.key === finding.key);
  }

  /** A ticket that nobody knew, found after a create of this work was sent: that create made it. */
  private adopt(work: DeskWork, row: TicketRecord | null, ticket: Ticket): TicketRecord | null {
    const { trying, done } = work.message;
    if (trying === undefined || row?.id === ticket.id) return null;
    if (!done.includes(trying.step)) done.push(trying.step);
    const base = { ...this.base(work, row), endpoints: trying.endpoints, results: trying.results };
    return withTicket(base, ticket);
  }

  private async perform(
    work: DeskWork,
    row: TicketRecord | null,
    located: Located,
    steps: Step[],
    isFresh: boolean,
  ): Promise<TicketRecord> {
    const { repository } = this.options;
    const { done } = work.message;
    let { ticket } = located;
    for (const [index, step] of steps.entries()) {
      // A step that was done before a failure or a kill; whether a status is right was just decided on what is there.
      if (done.includes(step) && step !== 'reopen' && step !== 'resolve') continue;
      ticket = await this.step(step, work, row, ticket, isFresh);
      if (step === 'leave' || step === 'nothing' || step === 'warn') continue;
      done.push(step);
      if (done.includes('follow-up')) break;
      // The last step of a run's Finding is remembered by its notice (see finish).
      if (index < steps.length - 1 || noticeOf(work) === null) await repository.saveWork(toRow(work));
    }
    return this.finish(work, row, ticket, steps, done);
  }

  private async step(
    step: Step,
    work: DeskWork,
    row: TicketRecord | null,
    ticket: Ticket | null,
    isFresh: boolean,
  ): Promise<Ticket | null> {
    const { helpdesk, settings, scannedBy } = this.options;
    const { finding } = work;
    if (step === 'create') return this.create(work, row, null);
    if (step === 'follow-up') return this.create(work, row, 'was deleted or merged away');
    if (ticket === null) return null;
    switch (step) {
      case 'reopen':
        return this.reopen(work, row, ticket);
      case 'add-results':
        await this.addNote(work, ticket, resultsNote(finding, row?.results ?? null, scannedBy), isFresh);
        return ticket;
      case 'note-places': {
        const places = newPlaces(row?.endpoints ?? [], finding.endpoints);
        await this.addNote(work, ticket, placesNote(finding, places, scannedBy), isFresh);
        return ticket;
      }
      case 'note-cleared':
        await this.addNote(work, ticket, clearedNote(finding, scannedBy), isFresh);
        return ticket;
      case 'resolve':
        return helpdesk.resolve(ticket.id, renderFields(settings.resolveFields, viewOf(finding, scannedBy)));
      case 'leave':
      case 'nothing':
      case 'warn':
        return ticket;
    }
  }

  /** Closed for good: the problem goes on in a follow-up, once; the row names that one from then on. */
  private async reopen(work: DeskWork, row: TicketRecord | null, ticket: Ticket): Promise<Ticket> {
    try {
      return await this.options.helpdesk.reopen(ticket.id);
    } catch (error) {
      if (!(error instanceof CertDeskError) || error.code !== 'CONFLICT') throw error;
      const known = withTicket(this.base(work, row), ticket);
      const followUp = await this.create(work, known, 'cannot be opened again');
      work.message.done.push('follow-up');
      return followUp;
    }
  }

  private async addNote(work: DeskWork, ticket: Ticket, text: string, isFresh: boolean): Promise<void> {
    const { helpdesk } = this.options;
    const { marker } = work.message;
    if (!isFresh && ((await helpdesk.notes(ticket.id)) ?? []).some(note => note.includes(marker))) return;
    await helpdesk.addNote(ticket.id, `${text}\n\nReference: ${marker}`);
  }

  /** @param why what became of the ticket that this one follows; null for a first one */
  private async create(work: DeskWork, row: TicketRecord | null, why: string | null): Promise<Ticket> {
    const { helpdesk, repository } = this.options;
    const { finding, message } = work;
    const draft = this.draft(work, row, why);
    message.trying = {
      step: why === null ? 'create' : 'follow-up',
      marker: message.marker,
      endpoints: finding.endpoints,
      results: resultsOf(finding),
    };
    await repository.saveWork(toRow(work));
    try {
      return await helpdesk.create(draft);
    } catch (error) {
      if (error instanceof KeyLostError) {
        message.done.push(message.trying.step);
        const made = { ...this.base(work, null), results: message.trying.results };
        await repository.saveTicket(work.desk, withTicket(made, error.ticket));
      }
      if (!isUncertain(error)) throw error;
      const made = await this.lookFor(draft.key, row?.id);
      if (made === null) throw error;
      return made;
    }
  }

  private draft(work: DeskWork, row: TicketRecord | null, why: string | null): TicketDraft {
    const { scannedBy } = this.options;
    const { finding } = work;
    const settings = withOverrides(this.options.settings, work.message.overrides);
    const { subject, body } = ticketTexts(finding, settings, scannedBy);
    return {
      key: finding.key,
      subject,
      body: why === null || row === null ? body : followUpBody(body, row, why),
      priority: settings.priority,
      target: settings.target,
      fields: renderFields(settings.fields, viewOf(finding, scannedBy)),
    };
  }

  /** Whether the create arrived after all; null too when the helpdesk can't tell yet. */
  private async lookFor(key: string, oldId: string | undefined): Promise<Ticket | null> {
    const { helpdesk, type } = this.options;
    if (type.capabilities.searchLagMs > LONGEST_WAIT_MS) return null;
    await delay(type.capabilities.searchLagMs);
    try {
      return (await helpdesk.find(key)).find(ticket => ticket.key === key && ticket.id !== oldId) ?? null;
    } catch {
      return null; // the create's own error says what is wrong
    }
  }

  /** Writes what is known now, in an order that a kill in between does no harm to. */
  private async finish(
    work: DeskWork,
    row: TicketRecord | null,
    ticket: Ticket | null,
    steps: readonly Step[],
    done: readonly Step[],
  ): Promise<TicketRecord> {
    const { repository } = this.options;
    const { finding } = work;
    const base = this.base(work, row);
    const { clearedAt: _, ...record } = ticket === null ? base : withTicket(base, ticket);
    const isMade = done.includes('create') || done.includes('follow-up');
    const isNamed = isMade || done.includes('note-places') || row === null || finding.kind === 'vulnerability';
    const told: TicketRecord = {
      ...record,
      action: actionOf(done, ticket !== null),
      endpoints: isNamed ? union(isMade ? [] : record.endpoints, finding.endpoints) : record.endpoints,
      ...(isMade || done.includes('add-results') ? { results: resultsOf(finding) } : {}),
      ...(this.isClearingTold(work, row, done) ? { clearedAt: row?.clearedAt ?? base.updatedAt } : {}),
    };
    if (steps.includes('warn') && ticket !== null) this.options.onWarning(unknownStatus(ticket));
    // Killed between the two writes: a made ticket is found again by its key, and was told of; a clearing is not told
    // a second time, since the row says so; a note is recognised.
    if (isMade) await this.saveCarried(work, told);
    if (ticket !== null && (row === null || done.length > 0 || !isSame(row, told))) {
      await repository.saveTicket(work.desk, told);
    }
    if (!isMade) await this.saveCarried(work, told);
    return told;
  }

  private isClearingTold(work: DeskWork, row: TicketRecord | null, done: readonly Step[]): boolean {
    return work.finding.state === 'cleared' && (done.includes('note-cleared') || row?.clearedAt !== undefined);
  }

  private async saveCarried(work: DeskWork, record: TicketRecord): Promise<void> {
    // What a standing notice left alone may be looked at again: nothing was done that must not be done twice.
    const isIdle = record.action === 'left' || record.action === 'none';
    if (isIdle && noticeOf(work)?.runId !== work.finding.runId) return;
    for (const notice of noticesOf(work)) await this.options.repository.saveCarried(work.desk, notice, record);
  }

  private base(work: DeskWork, row: TicketRecord | null): TicketRecord {
    const at = this.options.now().toISOString();
    if (row === null) return emptyRecord(this.options.type.name, work.finding, at);
    const { error: _, ...known } = row;
    return { ...known, updatedAt: at };
  }
}

function unknownStatus(ticket: Ticket): string {
  return (
    `Ticket ${ticket.number} has the status "${ticket.nativeStatus}", which nobody here knows: it was left alone. ` +
    'Add that status to the status map of the connection.'
  );
}

/** Whether a create may have arrived although it failed here. */
function isUncertain(error: unknown): boolean {
  return error instanceof CertDeskError && ['TIMEOUT', 'UNREACHABLE', 'SERVER', 'PROTOCOL'].includes(error.code);
}
