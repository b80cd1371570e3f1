import type { Ticket } from '../helpdesks/helpdesk';
import { CertDeskError } from '../model/errors';
import { isOver, type TicketRecord } from '../model/ticket';
import type { Hold } from './claim';
import { decide, type Step } from './decide';
import { closeDuplicates } from './duplicates';
import { glanceOpen, locate, type Located } from './locate';
import { actionOf, baseRecord, isSame, newPlaces, union, withTicket } from './record';
import { Steps, type Job, type StepsOptions } from './steps';
import { clearedNote, placesNote, resultsNote, resultsOf } from './texts';
import { noticeOf, noticesOf, reasonOf, toRow, type DeskWork } from './work';

export interface CarrierOptions extends StepsOptions {
  onWarning: (text: string) => void;
}

/** Carries out the decision on one key. The caller sees to it that nobody else acts on that key meanwhile. */
export class Carrier {
  private readonly steps: Steps;

  constructor(private readonly options: CarrierOptions) {
    this.steps = new Steps(options);
  }

  /**
   * The record of a Finding that changes nothing at the helpdesk; null when it does, or when only a search can tell.
   * Asks the helpdesk at most for the status of the row's ticket.
   */
  async look(work: DeskWork): Promise<TicketRecord | null> {
    const { repository, reader, type, now } = this.options;
    const { finding, desk, key } = work;
    const row = await repository.ticket(desk, key);
    const isTold = finding.state === 'cleared' && row?.clearedAt !== undefined;
    if (finding.state === 'unknown' || isTold) {
      return { ...baseRecord(type.name, work, row, now()), action: row?.id ? 'left' : 'none' };
    }
    if (row === null || row.id === '' || row.unsureUntil !== undefined) return null;
    const ticket = await glanceOpen(reader, row, finding.runId);
    if (ticket === null) return null;
    const steps = this.decide(work, row, { ticket, isGone: false });
    if (!steps.every(step => step === 'leave' || step === 'warn')) return null;
    this.warn(steps, ticket);
    const record = this.recordOf(work, row, ticket, []);
    const carried = this.carriedBy(work, record);
    const isKnown = isSame(row, record);
    if (carried.length > 0 || !isKnown) {
      await repository.conclude(desk, { ticket: isKnown ? null : record, carried, record });
    }
    return record;
  }

  /**
   * Decides on the ticket as it is now, brings it to where it should be, and writes what came of it.
   * @param isFresh nothing was sent for this work before, so no trace of it needs to be looked for
   */
  async carryOut(work: DeskWork, hold: Hold, isFresh: boolean): Promise<TicketRecord> {
    const { helpdesk, reader, repository } = this.options;
    const known = await repository.ticket(work.desk, work.key);
    const isUnsure = work.message.trying !== undefined || known?.unsureUntil !== undefined;
    const located = await locate(helpdesk, reader, work.key, known, isUnsure);
    const row = (located.ticket === null ? null : this.adopt(work, known, located.ticket)) ?? known;
    const job: Job = { work, row, hold, isFresh };
    const duplicates = await this.settleOthers(job, located, isUnsure);
    const { trying, marker, done } = work.message;
    // Made by this very Finding: what it has to say is in the new ticket.
    if (located.ticket !== null && trying?.marker === marker && done.includes(trying.step)) {
      return this.conclude(job, located.ticket, done, duplicates);
    }
    try {
      return await this.perform(job, located, duplicates);
    } catch (error) {
      if (!(error instanceof CertDeskError) || error.code !== 'NOT_FOUND' || located.ticket === null) throw error;
      // Deleted between the look and the change: decided once more on what is there now.
      const again = await locate(helpdesk, reader, work.key, row, isUnsure);
      if (again.ticket?.id === located.ticket.id) throw error;
      return this.perform({ ...job, isFresh: false }, again, duplicates);
    }
  }

  private decide(
    work: DeskWork,
    row: TicketRecord | null,
    { ticket, isGone }: Pick<Located, 'ticket' | 'isGone'>,
  ): Step[] {
    const { finding } = work;
    const before = row?.results ?? [];
    const results = resultsOf(finding);
    const steps = decide(
      {
        kind: finding.kind,
        state: finding.state,
        reason: reasonOf(work),
        ticket: ticket === null ? (isGone ? 'gone' : 'none') : (work.message.reopenedFrom ?? ticket.status),
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
    const { type, now } = this.options;
    const base = baseRecord(type.name, work, row, now());
    return withTicket({ ...base, endpoints: trying.endpoints, results: trying.results }, ticket);
  }

  /** Numbers of the tickets that a create of ours made too many, once they are closed. */
  private async settleOthers(job: Job, { ticket, others }: Located, isUnsure: boolean): Promise<string[]> {
    if (ticket === null || others.length === 0) return [];
    if (isUnsure) return closeDuplicates(this.steps, job, ticket, others, this.options.onWarning);
    this.options.onWarning(severalOpen(ticket, others));
    return [];
  }

  private async perform(job: Job, located: Located, duplicates: readonly string[]): Promise<TicketRecord> {
    const { work, row } = job;
    const { done } = work.message;
    const steps = this.decide(work, row, located);
    let { ticket } = located;
    if (ticket !== null) this.warn(steps, ticket);
    for (const [index, step] of steps.entries()) {
      // A step that was done before a failure or a kill; whether a status is right was just decided on what is there.
      if (done.includes(step) && step !== 'reopen' && step !== 'resolve') continue;
      if (step === 'leave' || step === 'nothing' || step === 'warn') continue;
      // A reopening whose answer got lost shows in the ticket.
      if (step !== 'reopen' || ticket === null || isOver(ticket.status)) ticket = await this.step(step, job, ticket);
      done.push(step);
      if (done.includes('follow-up')) break;
      // The last step is remembered by what is written in the end.
      if (index < steps.length - 1) await this.options.repository.saveWork(toRow(work));
    }
    return this.conclude(job, ticket, done, duplicates);
  }

  private async step(step: Step, job: Job, ticket: Ticket | null): Promise<Ticket | null> {
    const { work, row } = job;
    const { finding, message } = work;
    const { scannedBy } = this.options;
    if (step === 'create') return this.steps.create(job, null);
    if (step === 'follow-up') return this.steps.create(job, 'was deleted or merged away');
    if (ticket === null) return null;
    switch (step) {
      case 'reopen':
        return this.reopen(job, ticket);
      case 'add-results':
        await this.steps.note(job, ticket, resultsNote(finding, row?.results ?? null, scannedBy), message.marker);
        return ticket;
      case 'note-places': {
        const places = newPlaces(row?.endpoints ?? [], finding.endpoints);
        await this.steps.note(job, ticket, placesNote(finding, places, scannedBy), message.marker);
        return ticket;
      }
      case 'note-cleared':
        await this.steps.note(job, ticket, clearedNote(finding, scannedBy), message.marker);
        return ticket;
      case 'resolve':
        return this.steps.resolve(job, ticket);
      case 'leave':
      case 'nothing':
      case 'warn':
        return ticket;
    }
  }

  /** Closed for good: the problem goes on in a follow-up, once; the row names that one from then on. */
  private async reopen(job: Job, ticket: Ticket): Promise<Ticket> {
    try {
      return await this.steps.reopen(job, ticket);
    } catch (error) {
      if (!(error instanceof CertDeskError) || error.code !== 'CONFLICT') throw error;
      const { type, now } = this.options;
      const row = withTicket(baseRecord(type.name, job.work, job.row, now()), ticket);
      const followUp = await this.steps.create({ ...job, row }, 'cannot be opened again');
      job.work.message.done.push('follow-up');
      return followUp;
    }
  }

  /** Writes what is known now, and that the work is over, in one transaction. */
  private async conclude(
    { work, row, hold }: Job,
    ticket: Ticket | null,
    done: readonly Step[],
    duplicates: readonly string[],
  ): Promise<TicketRecord> {
    const record = this.recordOf(work, row, ticket, done, duplicates);
    const isKept = ticket !== null && (row === null || done.length > 0 || !isSame(row, record));
    await this.options.repository.conclude(work.desk, {
      ticket: isKept ? record : null,
      carried: this.carriedBy(work, record),
      record,
      workId: work.id,
      claim: { key: work.key, owner: hold.owner },
    });
    hold.wasReleased();
    return record;
  }

  /** What is known of the key now that `done` was done. */
  private recordOf(
    work: DeskWork,
    row: TicketRecord | null,
    ticket: Ticket | null,
    done: readonly Step[],
    duplicates: readonly string[] = [],
  ): TicketRecord {
    const { type, now } = this.options;
    const { finding, message } = work;
    const base = baseRecord(type.name, work, row, now());
    const { clearedAt: _, unsureUntil, ...record } = ticket === null ? base : withTicket(base, ticket);
    const isMade = done.includes('create') || done.includes('follow-up');
    const isNamed = isMade || done.includes('note-places') || row === null || finding.kind === 'vulnerability';
    const isClearingTold =
      finding.state === 'cleared' && (done.includes('note-cleared') || row?.clearedAt !== undefined);
    const unsure = message.unsureUntil ?? unsureUntil;
    const closed = union(record.duplicates ?? [], duplicates, number => number);
    return {
      ...record,
      action: actionOf(done, ticket !== null),
      endpoints: isNamed
        ? union(isMade ? [] : record.endpoints, finding.endpoints, ({ name }) => name)
        : record.endpoints,
      ...(isMade || done.includes('add-results') ? { results: resultsOf(finding) } : {}),
      ...(isClearingTold ? { clearedAt: row?.clearedAt ?? base.updatedAt } : {}),
      ...(unsure !== undefined && unsure > base.updatedAt ? { unsureUntil: unsure } : {}),
      ...(closed.length > 0 ? { duplicates: closed } : {}),
    };
  }

  /** Notices that need not be carried out again. */
  private carriedBy(work: DeskWork, record: TicketRecord): ReturnType<typeof noticesOf> {
    // What a standing notice left alone may be looked at again: nothing was done that must not be done twice.
    const isIdle = record.action === 'left' || record.action === 'none';
    return isIdle && noticeOf(work)?.runId !== work.finding.runId ? [] : noticesOf(work);
  }

  private warn(steps: readonly Step[], ticket: Ticket): void {
    if (steps.includes('warn')) this.options.onWarning(unknownStatus(ticket));
  }
}

function unknownStatus(ticket: Ticket): string {
  return (
    `Ticket ${ticket.number} has the status "${ticket.nativeStatus}", which nobody here knows: it was left alone. ` +
    'Add that status to the status map of the connection.'
  );
}

function severalOpen(ticket: Ticket, others: readonly Ticket[]): string {
  const numbers = others.map(other => other.number).join(', ');
  return `Ticket ${ticket.number} is kept up to date; ${numbers} carry the same key. Close them or merge them into it.`;
}
