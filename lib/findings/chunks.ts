/** At most this many values go into one query. */
const SIZE = 500;

/** Asks for many values in several queries, one after the other, and joins the answers. */
export async function inChunks<V, T>(values: Iterable<V>, ask: (chunk: V[]) => Promise<Iterable<T>>): Promise<T[]> {
  const all = [...new Set(values)];
  const answers: T[] = [];
  for (let at = 0; at < all.length; at += SIZE) {
    for (const answer of await ask(all.slice(at, at + SIZE))) answers.push(answer);
  }
  return answers;
}
