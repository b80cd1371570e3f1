import type { Repository, Work } from '../repository/repository';
import { fromRow, replace, toRow, type DeskWork } from './work';

export interface TakeUpOptions {
  desk: string;
  nodeId: string;
  isNodeAlive?(id: string): boolean;
}

type WorkRows = Pick<Repository, 'work' | 'changeWork' | 'saveWork' | 'removeWork'>;

/**
 * What waits for a desk at its start, oldest first and one work per key: its own, and with `isNodeAlive` also what its
 * node left under another desk name (the address of the connection was corrected) and what nodes that are no more left
 * under this one. Of two that would take the same work over, one gets it. @throws CertDeskError `REPOSITORY`
 */
export async function takeUp(repository: WorkRows, options: TakeUpOptions): Promise<DeskWork[]> {
  const byKey = new Map<string, DeskWork[]>();
  for (const row of await repository.work()) {
    const work = await take(repository, row, options);
    if (work !== null) byKey.set(work.key, [...(byKey.get(work.key) ?? []), work]);
  }
  const taken: DeskWork[] = [];
  for (const works of byKey.values()) taken.push(await merge(repository, works));
  return taken;
}

async function take(repository: WorkRows, row: Work, options: TakeUpOptions): Promise<DeskWork | null> {
  const { desk, nodeId } = options;
  if (row.desk === desk && row.nodeId === nodeId) return fromRow(row);
  if (options.isNodeAlive === undefined) return null;
  const isLeft = row.nodeId === nodeId || (row.desk === desk && !options.isNodeAlive(row.nodeId));
  if (!isLeft) return null;
  const moved = move(fromRow(row), desk, nodeId);
  return (await repository.changeWork(row, toRow(moved))) ? moved : null;
}

/** What was sent to another desk was not sent to this one. */
function move(work: DeskWork, desk: string, nodeId: string): DeskWork {
  if (work.desk === desk) return { ...work, nodeId };
  const { trying: _, unsureUntil: __, reopenedFrom: ___, ...message } = work.message;
  return { ...work, desk, nodeId, message: { ...message, done: [] } };
}

/** Tried one by one, an older problem could be told after it is known to be over. */
async function merge(repository: WorkRows, works: readonly DeskWork[]): Promise<DeskWork> {
  const whole = works.reduce((older, newer) => replace(older, newer));
  if (works.length > 1) await repository.saveWork(toRow(whole));
  for (const { id } of works) if (id !== whole.id) await repository.removeWork(id);
  return whole;
}
