import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckResult, Helpdesk, HelpdeskType } from '../helpdesks/helpdesk';
import { createLimit } from '../helpdesks/limit';
import { asCertDeskError, CertDeskError } from '../model/errors';
import type { Finding, Notification } from '../model/finding';
import { checkTemplate } from '../model/text';
import type { TicketRecord } from '../model/ticket';
import type { Repository, Work } from '../repository/repository';
import { Carrier } from './carry-out';
import { withClaim } from './claim';
import { KeyLocks } from './key-locks';
import { Outbox, type QueueState, type RetryOptions } from './outbox';
import { TicketReader } from './reader';
import { emptyRecord } from './record';
import type { TicketOverrides, TicketSettings } from './settings';
import { ticketTexts } from './texts';
import { forCallback, fromRow, makeWork, noticeOf, replace, toRow, type DeskWork } from './work';

export type { QueueState } from './outbox';

/** Keys acted on at once; the adapter bounds its requests as well. */
const AT_ONCE = 8;
const LEASE_MS = 30_000;
/** Longer than a lease, so that a killed process's claim is waited out. */
const CLAIM_WAIT_MS = 45_000;
const RETRY: RetryOptions = { firstMs: 15_000, mostMs: 15 * 60_000 };
/** What is under way at close may end within this; the rest is resumed at the next start. */
const CLOSE_WAIT_MS = 5_000;

export interface DeskOptions {
  /** Tells one helpdesk instance from another, e.g. `request-tracker:https://rt.example`. */
  desk: string;
  nodeId: string;
  helpdesk: Helpdesk;
  type: HelpdeskType;
  repository: Repository;
  settings: TicketSettings;
  /** `CertDesk running at https://node-red.example:1880`, for the texts. */
  scannedBy: string;
  /** Something that was queued or parked was done. */
  onRecord(record: TicketRecord, work: Work): void;
  /** Something that waited turned out to need a person. */
  onParked(error: CertDeskError, work: Work): void;
  onQueue(waiting: QueueState): void;
  onWarning?(text: string): void;
  now?(): Date;
  retry?: RetryOptions;
  claim?: { leaseMs: number; waitMs: number };
}

export interface HandleOptions {
  /** The policy's word; without one the Finding is due. */
  notification?: Notification;
  overrides?: TicketOverrides;
  /** The message, so that what is done later can go out with it. */
  message: Record<string, unknown>;
}

/**
 * Keeps one helpdesk in step with what is found: decides by the table of docs/design.md and carries it out, one
 * action at a time per key, each notice once. What is about to be sent is written first, so that a kill loses nothing.
 */
export class Desk {
  private readonly owner = randomUUID();
  private readonly locks = new KeyLocks();
  private readonly limit = createLimit(AT_ONCE);
  private readonly carrier: Carrier;
  private readonly outbox: Outbox;
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly now: () => Date;
  /** Until then the helpdesk asked not to be bothered. */
  private pause: { until: number; error: CertDeskError } | null = null;
  private isClosed = false;

  /** @throws CertDeskError `CONFIG` when a template can't be read */
  constructor(private readonly options: DeskOptions) {
    const { helpdesk, type, repository, settings, scannedBy } = options;
    checkTemplate('subject', settings.subject);
    checkTemplate('body', settings.body);
    this.now = () => options.now?.() ?? new Date();
    const onWarning = (text: string): void => options.onWarning?.(text);
    const reader = new TicketReader(helpdesk);
    this.carrier = new Carrier({ helpdesk, type, repository, reader, settings, scannedBy, onWarning, now: this.now });
    this.outbox = new Outbox({
      retry: options.retry ?? RETRY,
      now: this.now,
      attempt: work => this.track(this.retryWork(work)),
      onChange: state => options.onQueue(state),
    });
  }

  /** Takes up what was left before a restart, in the background. @throws CertDeskError `REPOSITORY` */
  async start(): Promise<void> {
    const { repository, desk, nodeId } = this.options;
    const left = (await repository.work(desk)).filter(work => work.nodeId === nodeId).map(fromRow);
    for (const work of left) this.outbox.add(work);
    void this.outbox.run(left);
  }

  /**
   * Brings the ticket of a Finding to where it should be. What may pass by itself comes back as `queued` and is done
   * later (onRecord).
   * @throws CertDeskError what a person must mend, after the work was parked; `REPOSITORY`, `BAD_MESSAGE`
   */
  handle(finding: Finding, options: HandleOptions): Promise<TicketRecord> {
    if (this.isClosed) return Promise.reject(new CertDeskError('STOPPED', 'This node is being closed.'));
    const { desk, nodeId } = this.options;
    const work = makeWork({ desk, nodeId, finding, ...options, now: this.now() });
    return this.track(this.locks.run(finding.key, () => this.take(work)));
  }

  /** Tries at once what is queued or parked for a key. */
  async retry(key: string): Promise<void> {
    await this.outbox.run(this.outbox.ofKey(key));
  }

  /** What is right and wrong with the connection. */
  async check(): Promise<{ ok: boolean; checks: CheckResult[] }> {
    const checks = await this.options.helpdesk.check(this.options.settings.target);
    return { ok: checks.every(check => check.ok), checks };
  }

  /** Stops retrying and waits a little for what is under way; no callback comes after it. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.outbox.close();
    const timer = new AbortController();
    const waited = delay(CLOSE_WAIT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.underWay), waited]);
    timer.abort();
  }

  /** Under the lock of the key. */
  private async take(work: DeskWork): Promise<TicketRecord> {
    this.tryTexts(work);
    const told = await this.carried(work);
    if (told !== null) return told;
    const older = this.outbox.ofKey(work.key);
    const seen = await this.look(work, older);
    if (seen !== null && !(seen instanceof CertDeskError)) return seen;
    const whole = older.reduceRight((newer, waiting) => replace(waiting, newer), work);
    await this.options.repository.saveWork(toRow(whole));
    for (const waiting of older) await this.discard(waiting);
    const result = seen ?? (await this.attempt(whole, older.length === 0));
    if (!(result instanceof CertDeskError)) return result ?? this.record(whole, 'left');
    await this.postpone(whole, result);
    if (!result.isPassing) throw result;
    const { code, message } = result;
    return { ...(await this.record(whole, 'queued')), error: { code, message } };
  }

  /** What can be told without changing anything; an error when the helpdesk can't be asked; else null. */
  private async look(work: DeskWork, older: readonly DeskWork[]): Promise<TicketRecord | CertDeskError | null> {
    const pause = this.pause !== null && this.pause.until > this.now().getTime() ? this.pause : null;
    if (work.finding.state !== 'unknown') {
      if (pause !== null) return pause.error;
      if (older.length > 0) return null;
    }
    try {
      return await this.carrier.look(work);
    } catch (error) {
      return asHelpdeskError(error);
    }
  }

  /** The record; null when another instance has done it; what went wrong at the helpdesk. */
  private async attempt(work: DeskWork, isFresh: boolean): Promise<TicketRecord | CertDeskError | null> {
    const { repository, desk } = this.options;
    const { leaseMs, waitMs } = this.options.claim ?? { leaseMs: LEASE_MS, waitMs: CLAIM_WAIT_MS };
    const claim = { desk, key: work.key, owner: this.owner, leaseMs, waitMs, now: this.now };
    try {
      return await this.limit(() => withClaim(repository, claim, () => this.carryOut(work, isFresh)));
    } catch (error) {
      return asHelpdeskError(error);
    }
  }

  private async carryOut(work: DeskWork, isFresh: boolean): Promise<TicketRecord | null> {
    const { repository, desk } = this.options;
    if (!isFresh && !(await repository.work(desk, work.key)).some(row => row.id === work.id)) return null;
    const record = (await this.carried(work)) ?? (await this.carrier.carryOut(work, isFresh));
    await repository.removeWork(work.id);
    return record;
  }

  private retryWork(work: DeskWork): Promise<CertDeskError | null> {
    return this.locks.run(work.key, async () => {
      // A newer Finding took its place meanwhile.
      if (this.isClosed || !this.outbox.has(work)) return null;
      try {
        const result = await this.attempt(work, false);
        if (this.isClosed) return null;
        if (result instanceof CertDeskError) {
          await this.postpone(work, result);
          if (!result.isPassing) this.options.onParked(result, forCallback(work));
          return result;
        }
        this.outbox.remove(work);
        if (result !== null) this.options.onRecord(result, forCallback(work));
        return null;
      } catch (error) {
        // The repository itself: the row is as it was, and the work is tried again with a growing pause.
        const failure = asCertDeskError(error, 'REPOSITORY');
        work.attempts += 1;
        work.error = { code: failure.code, message: failure.message };
        work.nextAt = this.outbox.nextAt(work.attempts, failure, 0);
        return failure;
      }
    });
  }

  /** Keeps a work that failed: to be tried again by itself, or parked for a person. */
  private async postpone(work: DeskWork, error: CertDeskError): Promise<void> {
    const { type, repository } = this.options;
    work.attempts += 1;
    work.state = error.isPassing ? 'queued' : 'parked';
    work.error = { code: error.code, message: error.message };
    // A create that may have arrived is looked for when it can be seen.
    const settleMs = work.message.trying === undefined ? 0 : type.capabilities.searchLagMs;
    work.nextAt = this.outbox.nextAt(work.attempts, error, settleMs);
    if (error.code === 'RATE_LIMITED' && error.retryAfterMs !== undefined) {
      this.pause = { until: this.now().getTime() + error.retryAfterMs, error };
    }
    await repository.saveWork(toRow(work));
    if (!this.isClosed) this.outbox.add(work);
  }

  private async discard(work: DeskWork): Promise<void> {
    await this.options.repository.removeWork(work.id);
    this.outbox.remove(work);
  }

  private async carried(work: DeskWork): Promise<TicketRecord | null> {
    const notice = noticeOf(work);
    if (notice === null) return null;
    const { repository, desk } = this.options;
    const { runId } = work.finding;
    const told = await repository.carried(desk, notice);
    // What a due notice of the same run did, a standing one need not do again.
    if (told !== null || runId === null || notice.runId === runId) return told;
    return repository.carried(desk, { ...notice, runId });
  }

  private async record(work: DeskWork, action: TicketRecord['action']): Promise<TicketRecord> {
    const { repository, desk, type } = this.options;
    const at = this.now().toISOString();
    const known = (await repository.ticket(desk, work.key)) ?? emptyRecord(type.name, work.finding, at);
    return { ...known, action, updatedAt: at };
  }

  /** A Finding whose parts are not what they should be is refused before anything is written. */
  private tryTexts(work: DeskWork): void {
    const { settings, scannedBy } = this.options;
    try {
      ticketTexts(work.finding, settings, scannedBy);
    } catch (error) {
      throw asCertDeskError(error, 'BAD_MESSAGE');
    }
  }

  private track<T>(job: Promise<T>): Promise<T> {
    this.underWay.add(job);
    const forget = (): void => void this.underWay.delete(job);
    job.then(forget, forget);
    return job;
  }
}

/** What the repository can't do is for the caller; everything else is kept and tried again or parked. */
function asHelpdeskError(thrown: unknown): CertDeskError {
  const error = asCertDeskError(thrown, 'PROTOCOL');
  if (error.code === 'REPOSITORY') throw error;
  return error;
}
