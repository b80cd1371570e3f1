import type { Helpdesk, Ticket } from '../helpdesks/helpdesk';
import { asCertDeskError } from '../model/errors';

interface Waiting {
  resolve(ticket: Ticket | null): void;
  reject(error: unknown): void;
}

/**
 * Reads tickets by id. What is asked for while a request is under way goes into the next one together, so that a run
 * of many Findings costs a few bulk requests.
 */
export class TicketReader {
  private waiting = new Map<string, Waiting[]>();
  private isReading = false;

  constructor(private readonly helpdesk: Pick<Helpdesk, 'get'>) {}

  /** Null when the ticket is not there any more. */
  read(id: string): Promise<Ticket | null> {
    const answer = new Promise<Ticket | null>((resolve, reject) => {
      this.waiting.set(id, [...(this.waiting.get(id) ?? []), { resolve, reject }]);
    });
    if (!this.isReading) {
      this.isReading = true;
      setImmediate(() => void this.readAll());
    }
    return answer;
  }

  private async readAll(): Promise<void> {
    while (this.waiting.size > 0) {
      const asked = this.waiting;
      this.waiting = new Map();
      await this.readBatch(asked);
    }
    this.isReading = false;
  }

  private async readBatch(asked: Map<string, Waiting[]>): Promise<void> {
    try {
      const tickets = await this.helpdesk.get([...asked.keys()]);
      for (const [id, all] of asked) for (const one of all) one.resolve(tickets.get(id) ?? null);
    } catch (error) {
      // One ticket that may not be seen must not hide the others; a helpdesk that is down fails for all alike.
      if (asked.size > 1 && !asCertDeskError(error, 'PROTOCOL').isPassing) {
        for (const [id, all] of asked) await this.readBatch(new Map([[id, all]]));
      } else {
        for (const all of asked.values()) for (const one of all) one.reject(error);
      }
    }
  }
}
