import type { Repository } from '../../lib/repository/repository';
import type { Desk } from '../../lib/tickets/desk';

/** Desks of the deployed ticket nodes with the repository each writes to. */
const desks = new Map<Desk, Repository>();

/** Makes a desk known to the admin routes; returns how to take it out again. */
export function registerDesk(desk: Desk, repository: Repository): () => void {
  desks.set(desk, repository);
  return () => desks.delete(desk);
}

/** Tries at once what is queued or parked for a key. Returns how many desks were asked. */
export async function retryEverywhere(repository: Repository, key: string): Promise<number> {
  const asked = [...desks].filter(([, used]) => used === repository).map(([desk]) => desk);
  await Promise.all(asked.map(desk => desk.retry(key)));
  return asked.length;
}
