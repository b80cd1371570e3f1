import { setImmediate as nextTurn } from 'node:timers/promises';

const PER_TURN = 1_000;
/** A stopped run ends within a second, of which its reports need their share. */
const AFTER_STOP_MS = 300;

/**
 * Does something with each item, a thousand in each turn of the event loop, so that it is never held for long. False
 * when it gave up a while after `signal`, with items left.
 */
export async function inPieces<T>(items: Iterable<T>, work: (item: T) => void, signal?: AbortSignal): Promise<boolean> {
  let done = 0;
  let endsAt = Infinity;
  for (const item of items) {
    work(item);
    done += 1;
    if (done % PER_TURN > 0) continue;
    await nextTurn();
    if (signal?.aborted === true) endsAt = Math.min(endsAt, Date.now() + AFTER_STOP_MS);
    if (Date.now() >= endsAt) return false;
  }
  return true;
}
