import { setImmediate as nextTurn } from 'node:timers/promises';

/** What a group needs of its database. */
export interface Grouped<Trx> {
  /** Runs `work` as one transaction, durable when it resolves. */
  transaction(work: (trx: Trx) => Promise<void>): Promise<void>;
  /** Makes `work` a part of the transaction that can fail by itself. */
  savepoint<T>(trx: Trx, work: () => Promise<T>): Promise<T>;
  /** Whether that error has ended the transaction as a whole. */
  isOver(error: unknown): boolean;
  turn<T>(work: () => Promise<T>): Promise<T>;
  /** How long one commit may take others in. */
  holdMs: number;
}

interface Waiting<Trx> {
  run(trx: Trx): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Writes that wait at the same time share one commit, since waiting for the disk costs more than all else. Each happens
 * whole or not at all, and is on disk when it resolves.
 */
export class GroupCommit<Trx> {
  private waiting: Waiting<Trx>[] = [];
  private isRunning = false;

  constructor(private readonly database: Grouped<Trx>) {}

  write<T>(run: (trx: Trx) => Promise<T>): Promise<T> {
    const done = new Promise<unknown>((resolve, reject) => this.waiting.push({ run, resolve, reject }));
    if (!this.isRunning) void this.runAll();
    return done as Promise<T>;
  }

  private async runAll(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0) {
      await nextTurn();
      await this.database.turn(() => this.commit());
    }
    this.isRunning = false;
  }

  private async commit(): Promise<void> {
    const group: Waiting<Trx>[] = [];
    const answers: (() => void)[] = [];
    try {
      await this.database.transaction(async trx => {
        const startedAt = performance.now();
        do {
          const one = this.waiting.shift();
          if (one === undefined) return;
          group.push(one);
          answers.push(await this.runOne(trx, one));
        } while (performance.now() - startedAt < this.database.holdMs);
      });
    } catch (error) {
      // Nothing of the group was written. When it could not even begin, that is everybody.
      const failed = group.length > 0 ? group : this.waiting.splice(0);
      for (const one of failed) one.reject(error);
      return;
    }
    for (const answer of answers) answer();
  }

  private async runOne(trx: Trx, one: Waiting<Trx>): Promise<() => void> {
    try {
      const value = await this.database.savepoint(trx, () => one.run(trx));
      return () => one.resolve(value);
    } catch (error) {
      if (this.database.isOver(error)) throw error;
      return () => one.reject(error);
    }
  }
}
