import { lookup } from 'node:dns/promises';
import { normalizeAddress } from './ip';
import type { Target, TargetList } from './parse';
import { inPieces } from './pieces';
import { Places, type Answer } from './places';

export interface ResolveOptions {
  /** Limit per name. */
  timeoutMs: number;
  /** Names that are not resolved by then count as `STOPPED`. */
  signal?: AbortSignal;
  /** Default: the system's own resolution, so that /etc/hosts counts. Rejects with a code when there is no address. */
  lookupAll?: ((name: string) => Promise<string[]>) | undefined;
}

/** The system's resolver takes a thread of libuv's four per name; file access needs the rest. */
const LOOKUPS_AT_ONCE = 3;

/** Looks up all names and counts the endpoints. Never rejects for what a resolver does. */
export async function resolveTargets(list: TargetList, options: ResolveOptions): Promise<Places> {
  return Places.survey(list, await lookUpAll(list, options), options.signal);
}

async function lookUpAll(list: TargetList, options: ResolveOptions): Promise<Map<string, Answer>> {
  const names = new Set<string>();
  const take = ({ domain, addresses, ports }: Target): void => {
    if (domain === null || addresses !== null) return;
    if (ports.some(port => !list.isExcluded({ domain, ip: '', port }))) names.add(domain);
  };
  await inPieces(list.targets, take, options.signal);
  const answers = new Map<string, Answer>();
  const waiting = names.values();
  const work = async (): Promise<void> => {
    for (const name of waiting) {
      if (options.signal?.aborted === true) return; // a name without an answer counts as STOPPED
      answers.set(name, await lookUp(name, options));
    }
  };
  await Promise.all(Array.from({ length: LOOKUPS_AT_ONCE }, work));
  return answers;
}

async function lookUp(name: string, { timeoutMs, signal, lookupAll = systemLookup }: ResolveOptions): Promise<Answer> {
  let end: (answer: Answer) => void = () => {};
  const ended = new Promise<Answer>(resolve => (end = resolve));
  const stop = (): void => end({ reason: 'STOPPED' });
  const timer = setTimeout(() => end({ reason: 'TIMEOUT' }), timeoutMs);
  signal?.addEventListener('abort', stop);
  const answered = lookupAll(name).then(
    ips => {
      const unique = [...new Set(ips.map(ip => normalizeAddress(ip) ?? ip))];
      return unique.length > 0 ? { ips: unique } : { reason: 'ENOTFOUND' };
    },
    (error: NodeJS.ErrnoException) => ({ reason: error.code ?? 'ENOTFOUND' }),
  );
  try {
    return await Promise.race([answered, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

async function systemLookup(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}
