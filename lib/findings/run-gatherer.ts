import type { RunSummary } from '../model/report';
import type { Repository } from '../repository/repository';
import { isOwnRun } from './own-run';

export interface RunGathererOptions<T> {
  repository: Pick<Repository, 'onRunEnded' | 'runSummary'>;
  /** A run that has ended is complete when nothing came for so long. */
  settleMs: number;
  /** A run nobody says the end of is taken as it is when nothing came for so long. */
  idleMs?: number;
  /** More open runs than this end the oldest. */
  maxOpen?: number;
  create(runId: string | null): T;
  onComplete(gathered: T, run: { runId: string | null; summary: RunSummary | null }): void;
}

interface OpenRun<T> {
  gathered: T;
  summary: RunSummary | null;
  isEnded: boolean;
  timer: NodeJS.Timeout;
}

const IDLE_MS = 60 * 60 * 1000;
const MAX_OPEN = 100;

/**
 * Gathers what belongs together by run, and hands it over when the run has ended (the repository says so; a run of its
 * own is over at once) and nothing more came for `settleMs`. What an upstream node that died never ends is handed over
 * after an hour of silence, so that nothing is lost and nothing piles up.
 */
export class RunGatherer<T> {
  private readonly open = new Map<string | null, OpenRun<T>>();
  private readonly stopListening: () => void;

  constructor(private readonly options: RunGathererOptions<T>) {
    this.stopListening = options.repository.onRunEnded(summary => this.end(summary));
  }

  /** What is gathered for the run, made when it is new; the wait begins anew. */
  touch(runId: string | null): T {
    const known = this.open.get(runId);
    if (known !== undefined) {
      known.timer.refresh();
      return known.gathered;
    }
    const isEnded = isOwnRun(runId);
    const { maxOpen = MAX_OPEN } = this.options;
    const run = { gathered: this.options.create(runId), summary: null, isEnded, timer: this.wait(runId, isEnded) };
    this.open.set(runId, run);
    if (this.open.size > maxOpen) this.complete([...this.open.keys()][0] ?? null);
    if (runId !== null && !isEnded) this.askWhetherEnded(runId);
    return run.gathered;
  }

  /** The run is the caller's business from now on; it is not handed over. */
  take(runId: string | null): void {
    clearTimeout(this.open.get(runId)?.timer);
    this.open.delete(runId);
  }

  /** Ends without handing over what is open. */
  close(): void {
    this.stopListening();
    for (const { timer } of this.open.values()) clearTimeout(timer);
    this.open.clear();
  }

  private complete(runId: string | null): void {
    const run = this.open.get(runId);
    if (run === undefined) return;
    this.take(runId);
    this.options.onComplete(run.gathered, { runId, summary: run.summary });
  }

  private wait(runId: string | null, isEnded: boolean): NodeJS.Timeout {
    const { settleMs, idleMs = IDLE_MS } = this.options;
    const timer = setTimeout(() => this.complete(runId), isEnded ? settleMs : idleMs);
    return isEnded ? timer : timer.unref();
  }

  private end(summary: RunSummary): void {
    const run = this.open.get(summary.runId);
    if (run === undefined || run.isEnded) return;
    run.isEnded = true;
    run.summary = summary;
    clearTimeout(run.timer);
    run.timer = this.wait(summary.runId, true);
  }

  /** The run may have ended before its first message came here. */
  private askWhetherEnded(runId: string): void {
    this.options.repository.runSummary(runId).then(
      summary => {
        if (summary !== null) this.end(summary);
      },
      () => {}, // then the silence ends it; whoever reads the repository next tells what is wrong with it
    );
  }
}
