/** What a look-up found, how long it holds (time in milliseconds), and what keeping it costs. */
export interface Found<T> {
  value: T;
  until: number;
  bytes?: number;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * Keeps what was looked up until it expires, and looks a thing up once however many ask for it at the same time. Bounded
 * by number and bytes: what was used last stays.
 */
export class Kept<T> {
  readonly #found = new Map<string, Found<T>>();
  readonly #flights = new Map<string, Flight<T>>();
  #bytes = 0;

  constructor(private readonly limits: { entries: number; bytes?: number }) {}

  /**
   * Null when `signal` ends the wait. The look-up itself is ended when nobody waits for it any more. Rejects where
   * `lookUp` does.
   */
  async get(key: string, signal: AbortSignal, lookUp: (signal: AbortSignal) => Promise<Found<T>>): Promise<T | null> {
    if (signal.aborted) return null;
    const known = this.#take(key);
    if (known !== null) return known.value;
    const flight = this.#flights.get(key) ?? this.#start(key, lookUp);
    flight.waiting += 1;
    let leave = (): void => {};
    const left = new Promise<null>(resolve => {
      leave = () => resolve(null);
      signal.addEventListener('abort', leave);
    });
    try {
      return await Promise.race([flight.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiting -= 1;
      if (flight.waiting === 0) this.#end(key, flight);
    }
  }

  #start(key: string, lookUp: (signal: AbortSignal) => Promise<Found<T>>): Flight<T> {
    const stop = new AbortController();
    const result = lookUp(stop.signal).then(found => {
      if (!stop.signal.aborted) this.#keep(key, found);
      return found.value;
    });
    result.catch(() => {}); // whoever still waits sees it
    const flight = { result, stop, waiting: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  /** Does nothing to a look-up that has come to its end. */
  #end(key: string, flight: Flight<T>): void {
    flight.stop.abort();
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  #take(key: string): Found<T> | null {
    const known = this.#found.get(key);
    if (known === undefined) return null;
    this.#drop(key, known);
    if (known.until <= Date.now()) return null;
    this.#keep(key, known); // to the end: the one used last goes last
    return known;
  }

  #keep(key: string, found: Found<T>): void {
    const old = this.#found.get(key);
    if (old !== undefined) this.#drop(key, old);
    this.#found.set(key, found);
    this.#bytes += found.bytes ?? 0;
    for (const [oldest, entry] of this.#found) {
      const isFull = this.#found.size > this.limits.entries || this.#bytes > (this.limits.bytes ?? Infinity);
      if (!isFull || oldest === key) break;
      this.#drop(oldest, entry);
    }
  }

  #drop(key: string, found: Found<T>): void {
    this.#found.delete(key);
    this.#bytes -= found.bytes ?? 0;
  }
}
