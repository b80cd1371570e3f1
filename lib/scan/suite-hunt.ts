import type { Protocol } from '../model/report';
import type { Dialogue } from './dialogue';
import { reversed } from './suites/lists';
import type { Suite } from './suites/suites';
import type { TlsProtocol } from './wire/names';

/** A list shorter than this for each way is not worth the refusal that every way costs. */
const WORTH_SPLITTING = 24;

export interface HuntLimits {
  /** How many connections one hunt may use at once. */
  ways: number;
  /** Milliseconds since the epoch; what is not known then stays undecided. */
  deadline: number;
}

/**
 * What a suite shows of an endpoint. One suite of each kind is enough to decide the checks: CBC counts for each old
 * version by itself (POODLE, BEAST), everything else whatever the version.
 */
function kindsOf(suite: Suite, protocol: Protocol): string[] {
  const isOld = protocol === 'SSLv3' || protocol === 'TLSv1';
  const isExport = suite.weaknesses.includes('logjam') && suite.weaknesses.includes('export-cipher');
  return [
    suite.class,
    ...(isExport ? ['logjam export'] : []), // its prime is short whatever those of other suites are
    ...suite.weaknesses.map(weakness => (weakness === 'cbc-beast' && isOld ? `${weakness} ${protocol}` : weakness)),
  ];
}

/**
 * Finds one suite of every kind of weakness, over all versions of an endpoint together: only suites of a kind that was
 * not seen yet are offered. Versions are asked one after the other.
 */
export class ClassCover {
  readonly #covered = new Set<string>();

  constructor(
    private readonly dialogue: Dialogue,
    private readonly limits: HuntLimits,
  ) {}

  async cover(protocol: TlsProtocol, candidates: readonly Suite[]): Promise<void> {
    const accepted = this.dialogue.seen.accepted[protocol];
    for (;;) {
      for (const suite of accepted) kindsOf(suite, protocol).forEach(kind => this.#covered.add(kind));
      const open = candidates.filter(
        suite => !accepted.has(suite) && kindsOf(suite, protocol).some(kind => !this.#covered.has(kind)),
      );
      if (open.length === 0 || (await pick(this.dialogue, protocol, open, this.limits)) === null) return;
    }
  }
}

/**
 * Finds every suite of `candidates` that the server takes in one version: the chosen one is left out each time until the
 * rest is refused, in several ways at once. Lists are asked for each version, since servers have different ones.
 */
export async function huntSuites(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  candidates: readonly Suite[],
  limits: HuntLimits,
): Promise<void> {
  const accepted = dialogue.seen.accepted[protocol];
  const pending = anonymousLast(candidates.filter(suite => !accepted.has(suite)));
  await Promise.all(split(pending, limits.ways).map(part => pickAll(dialogue, protocol, part, limits)));
}

/**
 * As `huntSuites`, in the server's order of preference where it has one: it chooses the same suite then whatever the
 * order of the offer. Such a server is asked in one way, since only so its order shows.
 */
export async function listSuites(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  candidates: readonly Suite[],
  limits: HuntLimits,
): Promise<void> {
  const [forward, backward] = await Promise.all([
    pick(dialogue, protocol, candidates, limits),
    pick(dialogue, protocol, reversed(candidates), limits),
  ]);
  const [first] = forward ?? [];
  if (first === undefined && backward === null) return;
  if (first === undefined || backward?.[0] !== first) return huntSuites(dialogue, protocol, candidates, limits);
  const order = await pickAll(dialogue, protocol, candidates, limits, forward ?? []);
  dialogue.seen.preference.set(protocol, order);
}

/** Picks and removes until the rest is refused; `known` were picked before. All of them in the order of picking. */
async function pickAll(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  suites: readonly Suite[],
  limits: HuntLimits,
  known: readonly Suite[] = [],
): Promise<Suite[]> {
  const order = [...known];
  for (;;) {
    const pending = suites.filter(suite => !order.includes(suite));
    if (pending.length === 0) return order;
    const picked = await pick(dialogue, protocol, pending, limits);
    if (picked === null) return order;
    order.push(...picked);
  }
}

/** One question: one or two suites that the server takes; null for none, or when nobody can tell. */
async function pick(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  suites: readonly Suite[],
  limits: HuntLimits,
): Promise<Suite[] | null> {
  const { seen } = dialogue;
  if (Date.now() > limits.deadline) {
    seen.undecided.push({ protocol, suites, reason: 'the server took too long for all its answers' });
    return null;
  }
  const { reply, suites: picked } = await dialogue.askTwice(protocol, suites);
  if (reply.kind === 'unknown') seen.undecided.push({ protocol, suites, reason: reply.reason });
  if (reply.kind === 'hit' && reply.protocol !== protocol) {
    seen.undecided.push({ protocol, suites, reason: `it answered with ${reply.protocol}` });
  }
  return reply.kind === 'hit' && reply.protocol === protocol ? picked : null;
}

/** One anonymous and one other can often be found on one connection, but never two anonymous ones (see `askTwice`). */
function anonymousLast(suites: readonly Suite[]): Suite[] {
  const isAnonymous = ({ weaknesses }: Suite): boolean => weaknesses.includes('anonymous-cipher');
  return [...suites.filter(suite => !isAnonymous(suite)), ...suites.filter(isAnonymous)];
}

/** Deals the suites out like cards, so that every way gets some of each kind. */
function split(suites: readonly Suite[], ways: number): Suite[][] {
  const count = Math.max(1, Math.min(ways, Math.floor(suites.length / WORTH_SPLITTING)));
  return Array.from({ length: count }, (_, way) => suites.filter((_suite, index) => index % count === way));
}
