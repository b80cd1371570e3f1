import { createLimit } from '../helpdesks/limit';
import type { CertDeskError } from '../model/errors';
import type { DeskWork } from './work';

/** Waiting works tried at once when their time has come. */
const AT_ONCE = 4;
/** setTimeout takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What waits for the helpdesk, and why. */
export interface QueueState {
  queued: number;
  parked: number;
  /** Of what has waited longest, and its code; null when nothing waits. */
  reason: string | null;
  code: string | null;
}

export interface RetryOptions {
  /** Pause after the first failure; doubled each time up to `mostMs`. */
  firstMs: number;
  mostMs: number;
}

export interface OutboxOptions {
  retry: RetryOptions;
  now(): Date;
  /** Tries a work again; the error when it failed, null when it is done or gone. */
  attempt(work: DeskWork): Promise<CertDeskError | null>;
  onChange(state: QueueState): void;
}

/** Work that could not be done yet, and when it is tried again. The rows in the repository are the desk's business. */
export class Outbox {
  private readonly works = new Map<string, DeskWork>();
  private readonly byKey = new Map<string, DeskWork[]>();
  private readonly limit = createLimit(AT_ONCE);
  private timer: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(private readonly options: OutboxOptions) {}

  add(work: DeskWork): void {
    this.drop(work);
    this.works.set(work.id, work);
    this.byKey.set(work.key, [...this.ofKey(work.key), work].sort(oldestFirst));
    this.changed();
  }

  has(work: DeskWork): boolean {
    return this.works.has(work.id);
  }

  remove(work: DeskWork): void {
    if (this.drop(work)) this.changed();
  }

  /** Oldest first. */
  ofKey(key: string): readonly DeskWork[] {
    return this.byKey.get(key) ?? [];
  }

  private drop({ id, key }: DeskWork): boolean {
    if (!this.works.delete(id)) return false;
    const left = this.ofKey(key).filter(work => work.id !== id);
    if (left.length > 0) this.byKey.set(key, left);
    else this.byKey.delete(key);
    return true;
  }

  /**
   * Tries these now, whatever their time and state. A helpdesk that turns out to be away is not asked for the rest:
   * they wait as long as the one that met it.
   */
  async run(works: readonly DeskWork[]): Promise<void> {
    let away: DeskWork | null = null;
    await Promise.all(
      works.map(work =>
        this.limit(async () => {
          if (this.isClosed) return;
          if (away !== null && work.state === 'queued') {
            work.nextAt = away.nextAt;
            return;
          }
          const error = await this.options.attempt(work);
          if (error !== null && ['UNREACHABLE', 'TIMEOUT', 'RATE_LIMITED'].includes(error.code)) away = work;
        }),
      ),
    );
    this.changed();
  }

  /** When a work that failed is tried again: as the helpdesk asked, else after a pause that grows. */
  nextAt(attempts: number, error: CertDeskError, atLeastMs: number): string {
    const { firstMs, mostMs } = this.options.retry;
    const pause = error.retryAfterMs ?? Math.min(firstMs * 2 ** Math.max(0, attempts - 1), mostMs);
    return new Date(this.options.now().getTime() + Math.max(pause, atLeastMs)).toISOString();
  }

  close(): void {
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private changed(): void {
    if (this.isClosed) return;
    let parked = 0;
    let oldest: DeskWork | undefined;
    let nextAt: string | undefined;
    for (const work of this.works.values()) {
      if (oldest === undefined || oldestFirst(work, oldest) < 0) oldest = work;
      if (work.state === 'parked') parked += 1;
      else if (nextAt === undefined || work.nextAt < nextAt) nextAt = work.nextAt;
    }
    const { code = null, message: reason = null } = oldest?.error ?? {};
    this.options.onChange({ queued: this.works.size - parked, parked, reason, code });
    this.schedule(nextAt);
  }

  private schedule(nextAt: string | undefined): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (nextAt === undefined) return;
    const wait = Math.min(Math.max(0, Date.parse(nextAt) - this.options.now().getTime()), LONGEST_TIMER_MS);
    this.timer = setTimeout(() => void this.runDue(), wait);
  }

  private async runDue(): Promise<void> {
    this.timer = null;
    const now = this.options.now().toISOString();
    const due = [...this.works.values()].filter(work => work.state === 'queued' && work.nextAt <= now);
    await this.run(due.sort(oldestFirst));
  }
}

function oldestFirst(a: DeskWork, b: DeskWork): number {
  return a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0;
}
