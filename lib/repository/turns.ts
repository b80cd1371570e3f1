import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long blocking work may hold the event loop before others get a turn. */
const HOLD_MS = 5;

/**
 * For a database that blocks while it works: one piece of work at a time, and a turn of the event loop for everybody
 * else whenever those together held it long enough. Without it a long series of awaits, each done at once, would be
 * one long turn.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();
  #heldMs = 0;

  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let end = (): void => undefined;
    this.#last = new Promise(resolve => (end = resolve));
    await before;
    if (this.#heldMs >= HOLD_MS) {
      await nextTurn();
      this.#heldMs = 0;
    }
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.#heldMs += performance.now() - startedAt;
      end();
    }
  }
}
