/** The last work of each memory, per object that keeps it. */
const tails = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Runs work on one name of one keeper after all that was asked for before, whoever asks. */
export function exclusively<T>(keeper: object, name: string, work: () => Promise<T>): Promise<T> {
  const own = tails.get(keeper) ?? new Map<string, Promise<unknown>>();
  tails.set(keeper, own);
  const done = (own.get(name) ?? Promise.resolve()).then(work);
  const tail = done
    .catch(() => {})
    .then(() => {
      if (own.get(name) === tail) own.delete(name);
    });
  own.set(name, tail);
  return done;
}
