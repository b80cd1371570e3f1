import type { Certificate } from '../model/certificate';
import type { RunSummary } from '../model/report';
import type { ExpiryInput, ExpiryMessage } from './expiry-input';

/** What there is to judge in a run. */
export interface Candidates {
  /** Certificates that are due by their dates. */
  due: Certificate[];
  /** Keys that were told before. */
  keys: string[];
}

/** One run while it is gathered: only what may be told is kept of its messages. */
export class ExpiryRun {
  forced = false;
  /** Whether its scan was ended before it had looked everywhere. */
  isStopped = false;
  lastMessage: ExpiryMessage = {};
  private readonly due = new Map<string, Certificate>();
  private readonly keys = new Set<string>();
  private readonly pending = new Set<Promise<unknown>>();
  private readonly sequences = new Map<string, { indexes: Set<number>; count: number | null }>();

  constructor(readonly runId: string) {}

  /** Takes what the end of its scan told. */
  end(summary: Pick<RunSummary, 'forced' | 'stopped'>): void {
    this.forced ||= summary.forced;
    this.isStopped ||= summary.stopped;
  }

  /** Takes candidates that are still being read. A read that failed is its own message's error. */
  expect(reading: Promise<Candidates>): Promise<Candidates> {
    const taken = reading.then(({ due, keys }) => {
      for (const certificate of due) this.due.set(certificate.fingerprint256, certificate);
      for (const key of keys) this.keys.add(key);
    });
    const settled = taken.catch(() => {}).finally(() => this.pending.delete(settled));
    this.pending.add(settled);
    return reading;
  }

  /** All candidates, once nothing is being read any more. */
  async candidates(): Promise<Candidates> {
    await Promise.all(this.pending);
    return { due: [...this.due.values()], keys: [...this.keys] };
  }

  /** Notes a part of a Node-RED sequence; whether that sequence is complete now. */
  addPart(part: NonNullable<ExpiryInput['part']>): boolean {
    const sequence = this.sequences.get(part.id) ?? { indexes: new Set(), count: null };
    this.sequences.set(part.id, sequence);
    sequence.indexes.add(part.index);
    sequence.count ??= part.count;
    return sequence.count !== null && sequence.indexes.size >= sequence.count;
  }
}
