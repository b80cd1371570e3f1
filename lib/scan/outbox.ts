/** So that a burst of reports leaves room for everything else on the main thread. */
const PER_TURN = 10;

/** Hands values over one by one, a few per turn of the event loop, in the order in which they came. */
export class Outbox<T> {
  private waiting: (() => T)[] = [];
  private next = 0;
  private isTurnPlanned = false;

  /** An error thrown by `deliver` ends the handing over and goes to `onError`. */
  constructor(
    private readonly deliver: (value: T) => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Values that wait. */
  get size(): number {
    return this.waiting.length - this.next;
  }

  /** The value is made when its turn comes, so that what waits is small. */
  push(make: () => T): void {
    this.waiting.push(make);
    this.planTurn();
  }

  private planTurn(): void {
    if (this.isTurnPlanned) return;
    this.isTurnPlanned = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    const end = Math.min(this.next + PER_TURN, this.waiting.length);
    try {
      while (this.next < end) this.deliver(this.waiting[this.next++]!());
    } catch (error) {
      this.onError(error); // planned for ever: nothing more is handed over
      return;
    }
    this.isTurnPlanned = false;
    if (this.next < this.waiting.length) this.planTurn();
    else this.clear();
  }

  private clear(): void {
    this.waiting = [];
    this.next = 0;
  }
}
