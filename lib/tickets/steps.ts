import { setTimeout as delay } from 'node:timers/promises';
import { KeyLostError, type Helpdesk, type HelpdeskType, type Ticket, type TicketDraft } from '../helpdesks/helpdesk';
import { CertDeskError } from '../model/errors';
import { isOver, type TicketRecord } from '../model/ticket';
import type { Repository } from '../repository/repository';
import type { Hold } from './claim';
import type { TicketReader } from './reader';
import { baseRecord, withTicket } from './record';
import { withOverrides, type TicketSettings } from './settings';
import { renderFields, viewOf } from './template';
import { followUpBody, resultsOf, ticketTexts } from './texts';
import { toRow, type DeskWork } from './work';

/** After a lost answer the look waits out search lags up to this; longer ones are left to the next try. */
const LONGEST_WAIT_MS = 10_000;
/** How long after a repeated create a second ticket may turn up: far more than any helpdesk takes. */
const UNSURE_MS = 3_600_000;

export interface StepsOptions {
  helpdesk: Helpdesk;
  type: HelpdeskType;
  repository: Repository;
  reader: TicketReader;
  settings: TicketSettings;
  scannedBy: string;
  now: () => Date;
}

/** What one action works on: its intent, what is known of the key, and the right to act. */
export interface Job {
  work: DeskWork;
  row: TicketRecord | null;
  hold: Hold;
  /** Nothing was sent for this work before, so no trace of it needs to be looked for. */
  isFresh: boolean;
}

/** Single changes at the helpdesk, each made once whatever becomes of the answer. */
export class Steps {
  constructor(private readonly options: StepsOptions) {}

  /** @param why what became of the ticket that this one follows; null for a first one */
  async create(job: Job, why: string | null): Promise<Ticket> {
    const { helpdesk, repository, type, now } = this.options;
    const { work, row, hold } = job;
    const { message } = work;
    const draft = this.draft(job, why);
    const isAgain = message.trying !== undefined;
    message.trying = {
      step: why === null ? 'create' : 'follow-up',
      marker: message.marker,
      endpoints: work.finding.endpoints,
      results: resultsOf(work.finding),
    };
    if (isAgain) message.unsureUntil = new Date(now().getTime() + UNSURE_MS).toISOString();
    await repository.saveWork(toRow(work));
    try {
      return await this.send(
        hold,
        () => helpdesk.create(draft),
        async () => {
          if (type.capabilities.searchLagMs > LONGEST_WAIT_MS) return null;
          await delay(type.capabilities.searchLagMs);
          const found = await helpdesk.find(draft.key);
          return found.find(ticket => ticket.key === draft.key && ticket.id !== row?.id) ?? null;
        },
      );
    } catch (error) {
      if (error instanceof KeyLostError) {
        message.done.push(message.trying.step);
        const made = { ...baseRecord(type.name, work, null, now()), results: message.trying.results };
        await repository.saveTicket(work.desk, withTicket(made, error.ticket));
      } else if (isRefusal(error)) {
        delete message.trying;
      }
      throw error;
    }
  }

  /** `CONFLICT` for one that is closed for good. */
  async reopen({ work, hold }: Job, { id, status }: Ticket): Promise<Ticket> {
    const { helpdesk, reader, repository } = this.options;
    if (work.message.reopenedFrom === undefined) {
      work.message.reopenedFrom = status;
      await repository.saveWork(toRow(work));
    }
    return this.send(
      hold,
      () => helpdesk.reopen(id),
      async () => {
        const ticket = await reader.read(id);
        return ticket !== null && !isOver(ticket.status) ? ticket : null;
      },
    );
  }

  async resolve({ work, hold }: Job, { id }: Ticket): Promise<Ticket> {
    const { helpdesk, reader, settings, scannedBy } = this.options;
    const fields = renderFields(settings.resolveFields, viewOf(work.finding, scannedBy));
    return this.send(
      hold,
      () => helpdesk.resolve(id, fields),
      async () => {
        const ticket = await reader.read(id);
        return ticket !== null && isOver(ticket.status) ? ticket : null;
      },
    );
  }

  /** Where notes can be read, one that holds the marker already is not added again. */
  async note({ hold, isFresh }: Job, { id }: Ticket, text: string, marker: string): Promise<void> {
    const { helpdesk } = this.options;
    const isThere = async (): Promise<boolean> =>
      ((await helpdesk.notes(id)) ?? []).some(note => note.includes(marker));
    if (!isFresh && (await isThere())) return;
    await this.send<unknown>(
      hold,
      () => helpdesk.addNote(id, `${text}\n\nReference: ${marker}`),
      async () => ((await isThere()) ? true : null),
    );
  }

  /**
   * What was sent and got no clear answer is looked for. Where it does not show, it may still arrive: nobody acts on
   * the key until it must have.
   */
  private async send<T>(hold: Hold, request: () => Promise<T>, lookFor: () => Promise<T | null>): Promise<T> {
    await hold.ensure();
    try {
      return await request();
    } catch (error) {
      if (!isUncertain(error)) throw error;
      const seen = await lookFor().catch(() => null); // the request's own error says what is wrong
      if (seen !== null) return seen;
      hold.keepFor(this.options.type.capabilities.settleMs);
      throw error;
    }
  }

  private draft({ work, row }: Job, why: string | null): TicketDraft {
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
}

/** Whether a create was refused as it stands; anything else may also be said by the reading back of one that was made. */
function isRefusal(error: unknown): boolean {
  return error instanceof CertDeskError && ['INVALID', 'CONFIG', 'CONFLICT'].includes(error.code);
}

/** Whether a request may have done its work although it failed here. */
function isUncertain(error: unknown): boolean {
  return error instanceof CertDeskError && ['TIMEOUT', 'UNREACHABLE', 'SERVER', 'PROTOCOL'].includes(error.code);
}
