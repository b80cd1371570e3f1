import type { Helpdesk, Ticket } from '../helpdesks/helpdesk';
import { asCertDeskError } from '../model/errors';

/** A status seen this long ago still tells that nothing is to be done; before a change it is read again anyway. */
const GLANCE_MS = 10 * 60_000;

interface Waiting {
  resolve(ticket: Ticket | null): void;
  reject(error: unknown): void;
}

export interface ReaderOptions {
  helpdesk: Pick<Helpdesk, 'get'>;
  /** Most tickets of one request. */
  bulkSize: number;
  /** Ids of the tickets that are likely to be asked for in a run. */
  likely(): Promise<string[]>;
}

/**
 * Reads tickets by id. What is asked for while a request is under way goes into the next one together, and a request
 * for the first status of a run brings those along that will be asked for next: a run costs a few bulk requests.
 */
export class TicketReader {
  private waiting = new Map<string, Waiting[]>();
  private isReading = false;
  private runId: string | null = null;
  private begun: Promise<void> = Promise.resolve();
  /** Of this run: not asked for yet. */
  private ahead = new Set<string>();
  /** Of this run: brought along, or about to be, and not asked for yet. Undefined where that failed. */
  private readonly seen = new Map<string, { ticket: Promise<Ticket | null | undefined>; at: number }>();

  constructor(private readonly options: ReaderOptions) {}

  /** As it is now; null when the ticket is not there any more. */
  read(id: string): Promise<Ticket | null> {
    this.seen.delete(id);
    this.ahead.delete(id);
    const answer = new Promise<Ticket | null>((resolve, reject) => {
      this.waiting.set(id, [...(this.waiting.get(id) ?? []), { resolve, reject }]);
    });
    if (!this.isReading) {
      this.isReading = true;
      setImmediate(() => void this.readAll());
    }
    return answer;
  }

  /** As it was at most some minutes ago. `runId` groups what is asked for together; null for what stands alone. */
  async glance(id: string, runId: string | null): Promise<Ticket | null> {
    if (runId !== null && runId !== this.runId) this.begun = this.beginRun(runId);
    await this.begun;
    const seen = this.seen.get(id);
    this.seen.delete(id);
    const ticket = seen !== undefined && performance.now() - seen.at < GLANCE_MS ? await seen.ticket : undefined;
    return ticket === undefined ? this.read(id) : ticket;
  }

  private async beginRun(runId: string): Promise<void> {
    this.runId = runId;
    this.seen.clear();
    this.ahead.clear();
    try {
      const likely = await this.options.likely();
      if (this.runId === runId) this.ahead = new Set(likely);
    } catch (error) {
      this.runId = null;
      throw error;
    }
  }

  private async readAll(): Promise<void> {
    while (this.waiting.size > 0) {
      const asked = this.waiting;
      this.waiting = new Map();
      await this.readBatch(asked, this.takeAhead(asked));
    }
    this.isReading = false;
  }

  /** As many of those likely to be asked for as make the last page of the request full. */
  private takeAhead(asked: ReadonlyMap<string, unknown>): string[] {
    const { bulkSize } = this.options;
    const room = (bulkSize - (asked.size % bulkSize)) % bulkSize;
    const taken = [...take(this.ahead, room)];
    for (const id of taken) this.ahead.delete(id);
    return taken;
  }

  private async readBatch(asked: Map<string, Waiting[]>, ahead: readonly string[]): Promise<void> {
    const answer = this.options.helpdesk.get([...asked.keys(), ...ahead]);
    const at = performance.now();
    for (const id of ahead) {
      const ticket = answer.then(
        tickets => tickets.get(id) ?? null,
        () => undefined,
      );
      this.seen.set(id, { ticket, at });
    }
    try {
      const tickets = await answer;
      for (const [id, all] of asked) for (const one of all) one.resolve(tickets.get(id) ?? null);
    } catch (error) {
      // One ticket that may not be seen must not hide the others; a helpdesk that is down fails for all alike.
      if (asked.size + ahead.length > 1 && !asCertDeskError(error, 'PROTOCOL').isPassing) {
        for (const [id, all] of asked) await this.readBatch(new Map([[id, all]]), []);
      } else {
        for (const all of asked.values()) for (const one of all) one.reject(error);
      }
    }
  }
}

function* take<T>(items: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}
