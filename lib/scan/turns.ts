/** Lets some do a thing at once, and the others wait for their turn. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(private readonly atOnce: number) {}

  get isIdle(): boolean {
    return this.#busy === 0;
  }

  /** Resolves at once for whoever is told to stop while waiting; `work` has to look at its signal then. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (!(await this.begin(signal))) return work();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /** Waits for a turn, which `end` gives back. False when it was stopped before: there is nothing to give back then. */
  async begin(signal: AbortSignal): Promise<boolean> {
    if (this.#busy >= this.atOnce) return this.#wait(signal);
    this.#busy += 1;
    return true;
  }

  /** A turn is handed over, never free meanwhile. */
  end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy -= 1;
    else next();
  }

  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      const go = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        resolve(false);
      };
      this.#waiting.push(go);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }
}
