import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckResult } from '../helpdesks/helpdesk';
import { createLimit } from '../helpdesks/limit';
import { asCertDeskError, CertDeskError } from '../model/errors';
import type { Finding } from '../model/finding';
import { checkTemplate } from '../model/text';
import type { TicketRecord } from '../model/ticket';
import type { Claim } from '../repository/repository';
import { Carrier } from './carry-out';
import { withClaim, type Hold } from './claim';
import type { DeskOptions, HandleOptions } from './desk-options';
import { HoldUps } from './hold-ups';
import { KeyLocks } from './key-locks';
import { Outbox, type RetryOptions } from './outbox';
import { TicketReader } from './reader';
import { emptyRecord } from './record';
import { takeUp } from './take-up';
import { ticketTexts } from './texts';
import { forCallback, makeWork, noticeOf, replace, toRow, type DeskWork } from './work';

export type { DeskOptions, HandleOptions } from './desk-options';
export type { QueueState } from './outbox';

/** Keys acted on at once; the adapter bounds its requests as well. */
const AT_ONCE = 16;
/** Findings looked at once; the others wait as they came, which takes the least memory. */
const LOOKS_AT_ONCE = 64;
/** Shortest lease: a Node-RED that stands still for less keeps its claims. */
const LEASE_MS = 10_000;
/** Two thirds of a lease are left when a process is killed; what it sent must have settled by then. */
const LEASE_PER_SETTLE = 2;
/** Longer than a lease, so that a killed process's claim is waited out. */
const CLAIM_WAIT_PER_LEASE = 1.5;
const RETRY: RetryOptions = { firstMs: 15_000, mostMs: 15 * 60_000 };
/** What is under way at close may end within this; the rest is resumed at the next start. */
const CLOSE_WAIT_MS = 5_000;

/**
 * Keeps one helpdesk in step with what is found: decides by the table of docs/design.md and carries it out, one
 * action at a time per key, each notice once. What is about to be sent is written first, so that a kill loses nothing.
 */
export class Desk {
  private readonly locks = new KeyLocks();
  private readonly limit = createLimit(AT_ONCE);
  private readonly lookLimit = createLimit(LOOKS_AT_ONCE);
  private readonly carrier: Carrier;
  private readonly outbox: Outbox;
  private readonly underWay = new Set<Promise<unknown>>();
  /** Accepted, and not yet in the repository. */
  private readonly unsaved = new Set<Accepted>();
  private readonly now: () => Date;
  private readonly holdUps: HoldUps;
  private isClosed = false;
  /** Closed, and no longer waited for: the next desk may have taken its work up. */
  private hasEnded = false;

  /** @throws CertDeskError `CONFIG` when a template can't be read */
  constructor(private readonly options: DeskOptions) {
    const { helpdesk, type, repository, settings, scannedBy } = options;
    checkTemplate('subject', settings.subject);
    checkTemplate('body', settings.body);
    this.now = () => options.now?.() ?? new Date();
    this.holdUps = new HoldUps(this.now);
    const onWarning = (text: string): void => options.onWarning?.(text);
    const reader = new TicketReader({
      helpdesk,
      bulkSize: type.capabilities.bulkSize,
      likely: () => repository.openTicketIds(options.desk),
    });
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
    const left = await takeUp(this.options.repository, this.options);
    for (const work of left) this.outbox.add(work);
    void this.outbox.run(left);
  }

  /**
   * Brings the ticket of a Finding to where it should be. What may pass by itself comes back as `queued` and is done
   * later (onRecord).
   * @throws CertDeskError what a person must mend, after the work was parked; `STOPPED` while it closes, after the work
   * was kept for the next start; `REPOSITORY`, `BAD_MESSAGE`
   */
  handle(finding: Finding, options: HandleOptions): Promise<TicketRecord> {
    return this.track(this.accept({ finding, ...options, now: this.now() }));
  }

  /** Tries at once what is queued or parked for a key; how much that was. */
  async retry(key: string): Promise<number> {
    const waiting = this.outbox.ofKey(key);
    await this.outbox.run(waiting);
    return waiting.length;
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
    const waitMs = this.options.closeWaitMs ?? CLOSE_WAIT_MS;
    const waited = sleep(waitMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.idle(), waited]);
    timer.abort();
    this.hasEnded = true;
    // Whoever closes the desk may close the repository next.
    for (const accepted of this.unsaved) await this.options.repository.saveWork(toRow(this.workOf(accepted)));
  }

  private async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
  }

  private async accept(accepted: Accepted): Promise<TicketRecord> {
    this.tryTexts(accepted.finding);
    if (this.isClosed) {
      await this.options.repository.saveWork(toRow(this.workOf(accepted)));
      throw stopped();
    }
    this.unsaved.add(accepted);
    try {
      return await this.locks.run(accepted.finding.key, () => this.lookLimit(() => this.take(accepted)));
    } finally {
      this.unsaved.delete(accepted);
    }
  }

  private workOf(accepted: Accepted): DeskWork {
    const { desk, nodeId } = this.options;
    return makeWork({ desk, nodeId, ...accepted });
  }

  /** Under the lock of the key. */
  private async take(accepted: Accepted): Promise<TicketRecord> {
    const work = this.workOf(accepted);
    const told = await this.carried(work);
    if (told !== null) return told;
    const seen = await this.look(work);
    if (seen !== null && !(seen instanceof CertDeskError)) return seen;
    const { repository, desk } = this.options;
    const rows = new Set((await repository.work(desk, work.key)).map(({ id }) => id));
    const older = this.outbox.ofKey(work.key);
    // What has no row any more was carried out by another instance.
    const whole = older.filter(({ id }) => rows.has(id)).reduceRight((newer, waiting) => replace(waiting, newer), work);
    const keep = async (write: (replaced: string[]) => Promise<boolean>): Promise<boolean> => {
      if (this.hasEnded) throw stopped();
      const isClaimed = await write(older.map(({ id }) => id));
      this.unsaved.delete(accepted);
      for (const waiting of older) this.outbox.remove(waiting);
      return isClaimed;
    };
    const begin = (claim: Claim): Promise<boolean> => keep(replaced => repository.begin(toRow(whole), replaced, claim));
    let result: Awaited<ReturnType<Desk['attempt']>>;
    try {
      // Another instance's work of this key may have been sent, and its process killed.
      result = seen ?? this.holdUps.of(work.key) ?? (await this.attempt(whole, rows.size === 0, begin));
    } catch (error) {
      // Kept already, and only what came of it is not: that is found out again.
      if (!this.unsaved.has(accepted)) this.outbox.add(this.delay(whole, asCertDeskError(error, 'REPOSITORY')));
      throw error;
    }
    if (!(result instanceof CertDeskError)) return result ?? this.record(whole, 'left');
    if (this.unsaved.has(accepted)) await keep(replaced => this.saveInPlaceOf(whole, replaced));
    await this.postpone(whole, result);
    if (!result.isPassing) throw result;
    const { code, message } = result;
    return { ...(await this.record(whole, 'queued')), error: { code, message } };
  }

  private async saveInPlaceOf(work: DeskWork, replaced: readonly string[]): Promise<boolean> {
    const { repository } = this.options;
    await repository.saveWork(toRow(work));
    for (const id of replaced) await repository.removeWork(id);
    return false;
  }

  /** What can be told without changing anything; an error when the helpdesk can't be asked; else null. */
  private async look(work: DeskWork): Promise<TicketRecord | CertDeskError | null> {
    if (work.finding.state !== 'unknown') {
      const paused = this.holdUps.paused();
      if (paused !== null) return paused;
      if (this.outbox.ofKey(work.key).length > 0) return null;
    }
    try {
      return await this.carrier.look(work);
    } catch (error) {
      return this.helpdeskError(error);
    }
  }

  /**
   * The record; null when another instance has done it; what went wrong at the helpdesk.
   * @param begin how the key is claimed; for a new work in the same transaction as it is kept
   */
  private async attempt(
    work: DeskWork,
    isFresh: boolean,
    begin: (claim: Claim) => Promise<boolean>,
  ): Promise<TicketRecord | CertDeskError | null> {
    const { repository, desk, type } = this.options;
    const { settleMs } = type.capabilities;
    const leaseMs = this.options.claim?.leaseMs ?? Math.max(LEASE_MS, LEASE_PER_SETTLE * settleMs);
    const waitMs = this.options.claim?.waitMs ?? CLAIM_WAIT_PER_LEASE * leaseMs;
    const claim = { desk, key: work.key, leaseMs, waitMs, now: this.now };
    const onKept = (ms: number): void => this.holdUps.settle(work.key, ms);
    try {
      return await this.limit(() =>
        withClaim(repository, { ...claim, onKept }, begin, hold =>
          this.carryOut(work, hold, isFresh && !hold.wasWaitedFor),
        ),
      );
    } catch (error) {
      return this.helpdeskError(error);
    }
  }

  /** What the repository can't do is for the caller; everything else is kept and tried again or parked. */
  private helpdeskError(thrown: unknown): CertDeskError {
    const error = asCertDeskError(thrown, 'PROTOCOL');
    if (error.code === 'REPOSITORY') throw error;
    this.holdUps.heed(error);
    return error;
  }

  private async carryOut(work: DeskWork, hold: Hold, isFresh: boolean): Promise<TicketRecord | null> {
    const { repository, desk } = this.options;
    // One that waited may have been done or replaced by another instance.
    if (!isFresh && !(await repository.work(desk, work.key)).some(row => row.id === work.id)) return null;
    const told = await this.carried(work);
    if (told === null) return this.carrier.carryOut(work, hold, isFresh);
    await repository.removeWork(work.id);
    return told;
  }

  private retryWork(work: DeskWork): Promise<CertDeskError | null> {
    return this.locks.run(work.key, async () => {
      // A newer Finding took its place meanwhile.
      if (this.isClosed || !this.outbox.has(work)) return null;
      try {
        const result =
          this.holdUps.of(work.key) ?? (await this.attempt(work, false, claim => this.options.repository.claim(claim)));
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
        // The repository itself: the row is as it was.
        const failure = asCertDeskError(error, 'REPOSITORY');
        this.delay(work, failure);
        return failure;
      }
    });
  }

  /** Keeps a work that failed: to be tried again by itself, or parked for a person. */
  private async postpone(work: DeskWork, error: CertDeskError): Promise<void> {
    if (this.hasEnded) return;
    this.delay(work, error).state = error.isPassing ? 'queued' : 'parked';
    await this.options.repository.saveWork(toRow(work));
    if (!this.isClosed) this.outbox.add(work);
  }

  /** When a work that failed is tried again, with a growing pause. */
  private delay(work: DeskWork, error: CertDeskError): DeskWork {
    work.attempts += 1;
    work.error = { code: error.code, message: error.message };
    work.nextAt = this.outbox.nextAt(work.attempts, error, this.holdUps.settlesFor(work.key));
    return work;
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
  private tryTexts(finding: Finding): void {
    const { settings, scannedBy } = this.options;
    try {
      ticketTexts(finding, settings, scannedBy);
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

/** What `handle` was given, until there is a work of it. */
type Accepted = HandleOptions & { finding: Finding; now: Date };

function stopped(): CertDeskError {
  return new CertDeskError(
    'STOPPED',
    'This node is being closed. The Finding is kept, and carried out when it starts.',
  );
}
