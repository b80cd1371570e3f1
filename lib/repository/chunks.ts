import { setImmediate as nextTurn } from 'node:timers/promises';

/** Far under the variables that one statement takes (SQLite 32,766, PostgreSQL 65,535), few enough not to hold up the event loop. */
export const CHUNK = 200;

/** Runs `load` for chunks of the distinct values, with a turn of the event loop between; all results in order. */
export async function inChunks<V, T>(values: Iterable<V>, load: (chunk: V[]) => Promise<T[]>): Promise<T[]> {
  const distinct = [...new Set(values)];
  const found: T[] = [];
  for (let start = 0; start < distinct.length; start += CHUNK) {
    if (start > 0) await nextTurn();
    for (const item of await load(distinct.slice(start, start + CHUNK))) found.push(item);
  }
  return found;
}
