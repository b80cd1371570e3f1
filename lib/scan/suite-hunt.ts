import type { CheckId } from '../model/checks';
import type { Dialogue } from './dialogue';
import type { Suite } from './suites/suites';
import type { TlsProtocol } from './wire/names';

/** A list shorter than this for each way is not worth the refusal that every way costs. */
const WORTH_SPLITTING = 24;

export interface HuntLimits {
  /** How many connections this hunt may use at once. */
  ways: number;
  /** Milliseconds since the epoch; what is not known then stays undecided. */
  deadline: number;
}

/**
 * Finds every suite of `candidates` that the server takes in one version; they are in `seen.accepted` then.
 *
 * The first hello offers all of them: a server that takes none is done with. Otherwise class cover comes next (only
 * suites with a weakness that was not seen yet), so that the checks are decided early, should the server stop answering;
 * then the chosen one is left out each time until the rest is refused. This finds the same whether the server follows
 * the client's order or its own. Lists are asked for each version, since servers have different ones.
 */
export async function huntSuites(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  candidates: readonly Suite[],
  limits: HuntLimits,
): Promise<void> {
  const accepted = dialogue.seen.accepted[protocol];
  if (accepted.size === 0 || !candidates.some(suite => accepted.has(suite))) {
    if ((await pickOne(dialogue, protocol, candidates, limits)) !== 'taken') return;
  }
  let pending = candidates.filter(suite => !accepted.has(suite));
  const covered = new Set<CheckId>([...accepted].flatMap(suite => suite.weaknesses));
  for (;;) {
    const uncovered = pending.filter(suite => suite.weaknesses.some(weakness => !covered.has(weakness)));
    if (uncovered.length === 0) break;
    const picked = await pickOne(dialogue, protocol, uncovered, { ...limits, pending });
    if (picked === 'given-up') return;
    const known = picked === 'none' ? new Set(uncovered) : accepted;
    pending = pending.filter(suite => !known.has(suite));
    if (picked === 'none') break;
    for (const suite of accepted) suite.weaknesses.forEach(weakness => covered.add(weakness));
  }
  await Promise.all(split(pending, limits.ways).map(part => pickAll(dialogue, protocol, part, limits)));
}

/** Picks and removes until the rest is refused. */
async function pickAll(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  suites: readonly Suite[],
  limits: HuntLimits,
): Promise<void> {
  const accepted = dialogue.seen.accepted[protocol];
  let pending = suites;
  while (pending.length > 0) {
    if ((await pickOne(dialogue, protocol, pending, limits)) !== 'taken') return;
    pending = pending.filter(suite => !accepted.has(suite));
  }
}

/** One question. What stays undecided when nobody can tell is `pending`. */
async function pickOne(
  dialogue: Dialogue,
  protocol: TlsProtocol,
  suites: readonly Suite[],
  options: HuntLimits & { pending?: readonly Suite[] },
): Promise<'taken' | 'none' | 'given-up'> {
  const isLate = Date.now() > options.deadline;
  const reply = isLate ? null : await dialogue.ask(protocol, suites);
  if (reply?.kind === 'hit') return reply.protocol === protocol ? 'taken' : 'none';
  if (reply?.kind === 'refused') return 'none';
  const reason = reply?.reason ?? 'the server took too long for all its answers';
  dialogue.seen.undecided.push({ protocol, suites: options.pending ?? suites, reason });
  return 'given-up';
}

/** Deals the suites out like cards, so that every way gets some of each kind. */
function split(suites: readonly Suite[], ways: number): Suite[][] {
  const count = Math.max(1, Math.min(ways, Math.floor(suites.length / WORTH_SPLITTING)));
  return Array.from({ length: count }, (_, way) => suites.filter((_suite, index) => index % count === way));
}
