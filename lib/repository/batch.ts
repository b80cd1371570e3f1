import { setImmediate as nextTurn } from 'node:timers/promises';

/** Most items of one transaction. */
const MOST_ITEMS = 50;
/** After a failure nothing is tried unasked for this long, doubled each time. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Whose fault a failed write is: null for the database's, which passes; `item` where an item can't be written whatever
 * the database does; `item-perhaps` where that shows only when another item can be written.
 */
export type Fault = 'item' | 'item-perhaps' | null;

interface Waiter {
  /** How many items must have been written since the start. */
  target: number;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * Collects items and writes them in small transactions with turns of the event loop between. What could not be
 * written stays, in order, and is tried again: by itself after a pause, at once by `flush`. An item that never can be
 * written is left out, so that it doesn't hold up the others; one `flush` tells of it.
 */
export class Batch<T> {
  readonly #write: (items: T[]) => Promise<void>;
  readonly #faultOf: (error: unknown) => Fault;
  readonly #holdMs: number;
  #pending: T[] = [];
  #written = 0;
  #waiters: Waiter[] = [];
  #size = 10;
  #isRunning = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | null = null;
  /** Why an item was left out, until somebody is told. */
  #untold: { reason: unknown } | null = null;

  /** `holdMs`: how long one transaction should take. */
  constructor(options: { write: (items: T[]) => Promise<void>; faultOf: (error: unknown) => Fault; holdMs: number }) {
    this.#write = options.write;
    this.#faultOf = options.faultOf;
    this.#holdMs = options.holdMs;
  }

  add(item: T): void {
    this.#pending.push(item);
    if (this.#timer === null) void this.#run();
  }

  /** Resolves when everything added before is written; rejects with the reason when it can't be. */
  flush(): Promise<void> {
    if (this.#pending.length === 0) return this.#answer();
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
    try {
      await this.#write(items);
    } catch (error) {
      if (this.#faultOf(error) === null) throw error;
      await this.#writeEach(items);
      return;
    }
    this.#adapt(items.length, performance.now() - startedAt);
    this.#settle(items.length, []);
  }

  /** Finds out which items hold up the others, and leaves those out. Writing an item again changes nothing. */
  async #writeEach(items: T[]): Promise<void> {
    const failed: { item: T; reason: unknown; fault: Fault }[] = [];
    for (const item of items) {
      await nextTurn();
      try {
        await this.#write([item]);
      } catch (reason) {
        const fault = this.#faultOf(reason);
        if (fault === null) throw reason;
        failed.push({ item, reason, fault });
      }
    }
    const hasWritten = failed.length < items.length;
    const isLost = ({ fault }: { fault: Fault }): boolean => hasWritten || fault === 'item';
    const lost = failed.find(isLost);
    if (lost !== undefined) this.#untold ??= { reason: lost.reason };
    const kept = failed.filter(each => !isLost(each));
    this.#settle(
      items.length,
      kept.map(({ item }) => item),
    );
    if (kept[0] !== undefined) throw kept[0].reason;
  }

  /** The first `count` items are done with, save those that are `kept`. */
  #settle(count: number, kept: T[]): void {
    this.#pending.splice(0, count, ...kept);
    this.#written += count - kept.length;
    while (this.#waiters[0] !== undefined && this.#waiters[0].target <= this.#written) {
      const waiter = this.#waiters.shift();
      this.#answer().then(
        () => waiter?.resolve(),
        (reason: unknown) => waiter?.reject(reason),
      );
    }
  }

  async #answer(): Promise<void> {
    const untold = this.#untold;
    this.#untold = null;
    if (untold !== null) throw untold.reason;
  }

  #adapt(count: number, tookMs: number): void {
    const fitting = (count * this.#holdMs) / Math.max(tookMs, 0.01);
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
