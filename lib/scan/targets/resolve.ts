import { lookup } from 'node:dns/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeEndpoint, type Endpoint } from '../../model/endpoint';
import { formatAddress, normalizeAddress, type AddressRange } from './ip';
import type { Target, TargetList } from './parse';

/** Every endpoint of a run, and why some have no address. */
export interface Resolved {
  /** Unique by name, in the order of the targets; `ip` is '' where the name did not resolve. */
  endpoints: Endpoint[];
  /** Reason by endpoint name: `ENOTFOUND`, `EAI_AGAIN`, `TIMEOUT`, `STOPPED`, … */
  unresolved: Map<string, string>;
}

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
/** A /16 is expanded in pieces, so that the event loop is never held for long. */
const ENDPOINTS_PER_TURN = 2_000;

/** Looks up all names, expands all blocks, leaves out what is excluded. Never rejects for what a resolver does. */
export async function resolveTargets(list: TargetList, options: ResolveOptions): Promise<Resolved> {
  const answers = await lookUpAll(list, options);
  const endpoints = new Map<string, Endpoint>();
  const unresolved = new Map<string, string>();
  let sinceTurn = 0;
  for (const target of list.targets) {
    const answer = target.addresses === null ? answers.get(target.domain ?? '') : undefined;
    for (const ip of addressesOf(target.addresses, answer)) {
      for (const endpoint of endpointsAt(target, ip)) {
        if (list.isExcluded(endpoint) || endpoints.has(endpoint.name)) continue;
        endpoints.set(endpoint.name, endpoint);
        if (answer?.reason !== undefined) unresolved.set(endpoint.name, answer.reason);
      }
      sinceTurn += target.ports.length;
      if (sinceTurn < ENDPOINTS_PER_TURN) continue;
      sinceTurn = 0;
      await nextTurn();
    }
  }
  return { endpoints: [...endpoints.values()], unresolved };
}

interface Answer {
  ips: string[];
  reason?: string;
}

function endpointsAt({ domain, ports, starttls }: Target, ip: string): Endpoint[] {
  return ports.map(port => makeEndpoint({ domain, ip, port, starttls }));
}

function* addressesOf(range: AddressRange | null, answer: Answer | undefined): Generator<string> {
  if (range === null) {
    yield* answer === undefined || answer.ips.length === 0 ? [''] : answer.ips;
    return;
  }
  for (let value = range.first; value <= range.last; value++) yield formatAddress({ family: range.family, value });
}

async function lookUpAll(list: TargetList, options: ResolveOptions): Promise<Map<string, Answer>> {
  const names = new Set<string>();
  for (const target of list.targets) {
    if (target.domain === null || target.addresses !== null) continue;
    const isWanted = endpointsAt(target, '').some(endpoint => !list.isExcluded(endpoint));
    if (isWanted) names.add(target.domain);
  }
  const answers = new Map<string, Answer>();
  const waiting = names.values();
  const work = async (): Promise<void> => {
    for (const name of waiting) answers.set(name, await lookUp(name, options));
  };
  await Promise.all(Array.from({ length: LOOKUPS_AT_ONCE }, work));
  return answers;
}

async function lookUp(name: string, { timeoutMs, signal, lookupAll = systemLookup }: ResolveOptions): Promise<Answer> {
  if (signal?.aborted === true) return { ips: [], reason: 'STOPPED' };
  let end: (answer: Answer) => void = () => {};
  const ended = new Promise<Answer>(resolve => (end = resolve));
  const stop = (): void => end({ ips: [], reason: 'STOPPED' });
  const timer = setTimeout(() => end({ ips: [], reason: 'TIMEOUT' }), timeoutMs);
  signal?.addEventListener('abort', stop);
  const answered = lookupAll(name).then(
    ips => {
      const unique = [...new Set(ips.map(ip => normalizeAddress(ip) ?? ip))];
      return unique.length > 0 ? { ips: unique } : { ips: unique, reason: 'ENOTFOUND' };
    },
    (error: NodeJS.ErrnoException) => ({ ips: [], reason: error.code ?? 'ENOTFOUND' }),
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
