import { setImmediate as nextTurn } from 'node:timers/promises';

/** Most items of one transaction, and how long it may hold the event loop. */
const MOST_ITEMS = 50;
const HOLD_MS = 5;
/** After a failure nothing is tried unasked for this long, doubled each time. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

interface Waiter {
  /** How many items must have been written since the start. */
  target: number;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * Collects items and writes them in small transactions with turns of the event loop between. What could not be
 * written stays, in order, and is tried again: by itself after a pause, at once by `flush`.
 */
export class Batch<T> {
  readonly #write: (items: T[]) => Promise<void>;
  #pending: T[] = [];
  #written = 0;
  #waiters: Waiter[] = [];
  #size = 10;
  #isRunning = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;

  constructor(write: (items: T[]) => Promise<void>) {
    this.#write = write;
  }

  add(item: T): void {
    this.#pending.push(item);
    if (this.#timer === null) void this.#run();
  }

  /** Resolves when everything added before is written; rejects with the reason when it can't be. */
  flush(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target: this.#written + this.#pending.length, resolve, reject });
      void this.#run();
    });
  }

  /** Ends the retries; what is pending then is lost with this object. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Never rejects: a failure goes to those who wait in `flush`, or else to nobody until somebody does. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.close();
    try {
      while (this.#pending.length > 0) {
        await nextTurn();
        await this.#writeSome();
      }
      this.#pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
      this.#retryLater();
    } finally {
      // In the same turn as the last look at what is pending, so that nothing added is overlooked.
      this.#isRunning = false;
    }
  }

  async #writeSome(): Promise<void> {
    const items = this.#pending.slice(0, Math.floor(this.#size));
    const startedAt = performance.now();
    await this.#write(items);
    this.#adapt(items.length, performance.now() - startedAt);
    this.#pending.splice(0, items.length);
    this.#written += items.length;
    while (this.#waiters[0] !== undefined && this.#waiters[0].target <= this.#written) this.#waiters.shift()?.resolve();
  }

  #adapt(count: number, tookMs: number): void {
    const fitting = (count * HOLD_MS) / Math.max(tookMs, 0.01);
    this.#size = Math.min(MOST_ITEMS, Math.max(1, (this.#size + fitting) / 2));
  }

  #retryLater(): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#run();
    }, this.#pauseMs);
    this.#timer.unref();
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}
