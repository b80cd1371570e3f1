/**
 * Hands items over in batches, one batch after the other: what comes while one is under way waits for the next.
 * An item's promise has its own answer; when a batch fails, all of its items fail alike.
 */
export class Batcher<T, R> {
  private waiting: { item: T; resolve: (answer: R) => void; reject: (reason: unknown) => void }[] = [];
  private isRunning = false;

  /** `work` answers in the order of its items. */
  constructor(
    private readonly work: (items: T[]) => Promise<R[]>,
    private readonly size = 500,
  ) {}

  add(item: T): Promise<R> {
    const answer = new Promise<R>((resolve, reject) => this.waiting.push({ item, resolve, reject }));
    if (!this.isRunning) {
      this.isRunning = true;
      setImmediate(() => void this.run()); // so that what comes in the same turn goes together
    }
    return answer;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.size);
      try {
        const answers = await this.work(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => resolve(answers[index] as R));
      } catch (error) {
        batch.forEach(({ reject }) => reject(error));
      }
    }
    this.isRunning = false;
  }
}
