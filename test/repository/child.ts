import { openRepository, type RepositoryOptions } from '../../lib/repository/open';
import { sampleReport, sampleWork } from './samples';

/** A second Node-RED, as far as the repository sees one: does what its parent's message says and answers. */
export type Order =
  | { what: 'claim'; options: RepositoryOptions; keys: string[]; owner: string }
  | { what: 'work-until-killed'; options: RepositoryOptions }
  | { what: 'open'; options: RepositoryOptions };
export type Answer = { claimed: string[] } | { saved: string } | { opened: true } | { code: string; message: string };

process.once('message', (order: Order) => {
  obey(order).catch((error: Error & { code?: string }) => {
    answer({ code: error.code ?? '', message: error.message });
    process.disconnect();
  });
});

function answer(message: Answer): void {
  process.send?.(message);
}

async function obey(order: Order): Promise<void> {
  const repository = await openRepository(order.options);
  if (order.what === 'work-until-killed') {
    for (let index = 0; ; index++) {
      const id = `work-${index}`;
      for (let port = 1; port <= 20; port++) repository.record(sampleReport({ runId: `run-${index}`, port }));
      await repository.saveWork(sampleWork(id));
      answer({ saved: id });
    }
  }
  if (order.what === 'claim') {
    const claimed: string[] = [];
    for (const key of order.keys) {
      if (await repository.claim({ desk: 'rt', key, owner: order.owner, leaseMs: 60_000, now: new Date() }))
        claimed.push(key);
    }
    answer({ claimed });
  } else answer({ opened: true });
  await repository.close();
  process.disconnect();
}
