import type { RunSummary } from '../model/report';
import { fromJson } from './json';
import type { Store } from './store';

/** Runs and who waits for their end. */
export class Runs {
  readonly #store: Store;
  readonly #listeners = new Set<(summary: RunSummary) => void>();
  constructor(store: Store) {
    this.#store = store;
  }

  async begin(run: { runId: string; startedAt: string; forced: boolean }): Promise<void> {
    const values = { started_at: run.startedAt, forced: run.forced ? 1 : 0 };
    await this.#store.write(trx =>
      trx
        .insertInto('run')
        .values({ run_id: run.runId, ...values })
        .onConflict(conflict => conflict.column('run_id').doUpdateSet(values).where('run.finished_at', 'is', null))
        .execute(),
    );
  }

  /** Of a run that ended already nothing changes and nobody is told again. */
  async end(summary: RunSummary): Promise<void> {
    const values = {
      started_at: summary.startedAt,
      forced: summary.forced ? 1 : 0,
      finished_at: summary.finishedAt,
      summary: JSON.stringify(summary),
    };
    const ended = await this.#store.write(trx =>
      trx
        .insertInto('run')
        .values({ run_id: summary.runId, ...values })
        .onConflict(conflict => conflict.column('run_id').doUpdateSet(values).where('run.finished_at', 'is', null))
        .returning('run_id')
        .executeTakeFirst(),
    );
    if (ended !== undefined) this.#tell(summary);
  }

  async summary(runId: string): Promise<RunSummary | null> {
    const row = await this.#store.read(db =>
      db.selectFrom('run').select('summary').where('run_id', '=', runId).executeTakeFirst(),
    );
    return row === undefined || row.summary === null ? null : fromJson<RunSummary>(row.summary);
  }

  onEnded(listener: (summary: RunSummary) => void): () => void {
    // A wrapper of its own each, so that the same function can listen twice and stop once.
    const own = (summary: RunSummary) => listener(summary);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #tell(summary: RunSummary): void {
    for (const listener of [...this.#listeners]) void tellOne(listener, summary);
  }
}

/** Never rejects: a listener that fails is its own node's business, the others are told all the same. */
async function tellOne(listener: (summary: RunSummary) => unknown, summary: RunSummary): Promise<void> {
  try {
    await listener(summary);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`A listener of the end of run ${summary.runId} failed: ${text}`, 'CertDeskWarning');
  }
}
