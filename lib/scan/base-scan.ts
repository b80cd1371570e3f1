import type { Protocol } from '../model/report';
import type { Dialogue, Opened } from './dialogue';
import { hasAnswered, kindsOpen, newestBySuite } from './observation';
import { conclude, PROTOCOL_VERSION, type Reply } from './reply';
import { ClassCover, huntSuites, listSuites, type HuntLimits } from './suite-hunt';
import { allSuites, COMMON, COMMON_BEFORE_TLS12, WEAK_OR_ECDSA, WEAK_OR_RSA, weakSuites } from './suites/lists';
import type { Suite } from './suites/suites';
import { askOtherSignatures, askTls13, shakeHands } from './tls13';
import { askEach, CLASSIC, concludeAbove, findVersions, foundBy } from './versions';
import type { TlsProtocol } from './wire/names';

/** Suites of one version are asked for this many timeouts long, so that a server that answers late each time ends. */
const HUNT_TIMEOUTS = 20;
/** Ways of one hunt for each connection that may be open; up to four versions are hunted at once. */
const WAYS_PER_CONNECTION = 1 / 3;

interface Plan {
  dialogue: Dialogue;
  profile: 'quick' | 'full';
  limits: HuntLimits;
  /** Starts looking for the suites of a version; once for each. */
  hunt: (protocol: TlsProtocol) => void;
}

export interface BaseOptions {
  profile: 'quick' | 'full';
  /** Goes on with the connection that brought the first certificate. */
  sequel?: ((opened: Opened) => Promise<void>) | undefined;
}

/**
 * The base of every scan: versions, suites and certificates. A healthy server of TLS 1.2 and 1.3 is asked five times:
 * for its certificate as a client of today would, then at once for anything older than TLS 1.2, SSLv2, weak suites of
 * TLS 1.2, weak suites of TLS 1.3. Profile `quick` finds one suite of each kind of weakness, `full` lists them all.
 * What the server showed is in `dialogue.seen`; returned is what the first hello brought.
 */
export async function scanBase(dialogue: Dialogue, { profile, sequel }: BaseOptions): Promise<Reply> {
  const limits = limitsOf(dialogue);
  const cover = new ClassCover(dialogue, limits);
  const hunts = new Map<TlsProtocol, Promise<void>>();
  let covering = Promise.resolve();
  let isKindKnown = profile === 'full'; // every suite is asked for there
  const hunt = (protocol: TlsProtocol): void => {
    if (hunts.has(protocol)) return;
    if (profile === 'full') {
      hunts.set(protocol, listSuites(dialogue, protocol, allSuites(protocol), limits));
    } else {
      covering = covering.then(() => cover.cover(protocol, weakSuites(protocol)));
      hunts.set(protocol, covering);
    }
  };
  const plan: Plan = { dialogue, profile, limits, hunt };
  const first = await dialogue.ask('TLSv1.2', COMMON, sequel);
  if (isHopeless(first) || (isSilent(first) && (await isSilentToOthers(dialogue)))) return first;
  if (first.kind === 'hit') {
    const found = foundBy(first) ?? 'TLSv1.2';
    concludeAbove(dialogue, found, 'TLSv1.2');
    if (found !== 'TLSv1.2') hunt(found);
    const [isAllRefused] = await Promise.all([
      found === 'TLSv1.2' ? askTls12(plan, first.suite) : false,
      findOlder(plan, found),
      askSslv2(dialogue),
      askTls13(plan),
    ]);
    isKindKnown ||= isAllRefused;
  } else {
    await scanUncommon(plan, first);
  }
  await Promise.all(hunts.values());
  if (!isKindKnown) await askOtherKinds(dialogue);
  return first;
}

/** Every weak suite of every version that the server has, where one of each kind is not enough. */
export async function completeLists(dialogue: Dialogue): Promise<void> {
  const limits = limitsOf(dialogue);
  const offered = CLASSIC.filter(protocol => dialogue.seen.protocols[protocol].state === 'offered');
  await Promise.all(offered.map(protocol => huntSuites(dialogue, protocol, weakSuites(protocol), limits)));
}

function limitsOf({ line }: Dialogue): HuntLimits {
  return {
    ways: Math.max(1, Math.floor(line.connections * WAYS_PER_CONNECTION)),
    deadline: Date.now() + HUNT_TIMEOUTS * line.timeoutMs,
  };
}

const HOPELESS: ReadonlySet<string> = new Set(['not-connected', 'no-starttls', 'stopped']);

/** Nobody there, nobody who speaks TLS, or nobody who wants to know any more. */
function isHopeless(first: Reply): boolean {
  if (first.kind !== 'unknown') return false;
  return HOPELESS.has(first.how) || first.word === 'NOT_TLS';
}

function isSilent(reply: Reply): boolean {
  return reply.kind === 'unknown' && reply.how === 'silent';
}

/**
 * Whether nothing comes to hellos that differ as much as can be either, so that nobody is there who speaks TLS: as many of
 * them as can be asked at once, since each may cost a whole timeout.
 */
async function isSilentToOthers(dialogue: Dialogue): Promise<boolean> {
  const others = [
    () => dialogue.ask('TLSv1', COMMON_BEFORE_TLS12),
    () => dialogue.ask('TLSv1.3', allSuites('TLSv1.3')),
    () => dialogue.askSslv2(),
  ];
  const replies = await Promise.all(others.slice(0, dialogue.line.connections).map(ask => ask()));
  return replies.every(isSilent);
}

async function askSslv2(dialogue: Dialogue): Promise<void> {
  conclude(dialogue.seen, ['SSLv2'], await dialogue.askSslv2());
}

/** The versions below `found`. In `full` each is asked by itself, since nothing there rests on what servers usually do. */
async function findOlder({ dialogue, profile, hunt }: Plan, found: TlsProtocol): Promise<void> {
  const older = CLASSIC.slice(0, CLASSIC.indexOf(found));
  const highest = older.at(-1);
  if (highest === undefined) return;
  if (profile === 'full') await askEach(dialogue, older.toReversed(), null, hunt);
  else await findVersions(dialogue, highest, hunt);
}

/**
 * Weak suites of TLS 1.2, and with the same hello the healthy ones of the other kind of certificate: true when the
 * server says no to both at once, as one that has one certificate and no weak suite does.
 */
async function askTls12({ dialogue, profile, hunt }: Plan, first: Suite | null): Promise<boolean> {
  if (profile === 'full') {
    hunt('TLSv1.2');
    return false;
  }
  const suites = weakOrOtherKind(first);
  const reply = await dialogue.ask('TLSv1.2', suites);
  if (reply.kind === 'hit') hunt('TLSv1.2');
  if (reply.kind === 'unknown') dialogue.seen.undecided.push({ protocol: 'TLSv1.2', suites, reason: reply.reason });
  return reply.kind !== 'hit' && suites !== weakSuites('TLSv1.2');
}

/** With the healthy suites for the kind of certificate that `first` did not need. */
function weakOrOtherKind(first: Suite | null): readonly Suite[] {
  if (first?.auth === 'ECDSA') return WEAK_OR_RSA;
  if (first?.auth === 'RSA') return WEAK_OR_ECDSA;
  return weakSuites('TLSv1.2');
}

/** A certificate of a kind (RSA, ECDSA) that was not seen yet, in the newest version in which suites decide that. */
async function askOtherKinds(dialogue: Dialogue): Promise<void> {
  const { seen } = dialogue;
  const newest = newestBySuite(seen);
  if (newest === undefined) return;
  const open = kindsOpen(seen, newest);
  if (open.length === 0) return;
  const suites = allSuites(newest).filter(({ auth }) => open.includes(auth));
  const reply = await dialogue.ask(newest, suites);
  if (reply.kind === 'unknown') seen.undecided.push({ protocol: newest, suites, reason: reply.reason });
}

/**
 * A server that did not take the common hello: TLS 1.3 alone, old versions that it denies when asked with a newer one,
 * or suites that nobody offers. First each version in the way that most servers understand; then, where somebody
 * answered, what is still open once more with every suite, since only now a closed connection is an answer.
 */
async function scanUncommon(plan: Plan, first: Reply): Promise<void> {
  const { dialogue, hunt } = plan;
  const { seen } = dialogue;
  conclude(seen, ['TLSv1.2'], first);
  const isTooOld = first.kind === 'refused' && first.alert === PROTOCOL_VERSION;
  if (isTooOld) await askTls13(plan);
  if (isTooOld && hasAnswered(seen)) {
    await Promise.all([findVersions(dialogue, 'TLSv1.1', hunt), askSslv2(dialogue)]);
  } else {
    const [refused] = await Promise.all([
      askEach(dialogue, ['TLSv1.1', 'TLSv1', 'SSLv3'], COMMON_BEFORE_TLS12, hunt),
      isTooOld ? undefined : askTls13(plan),
      askSslv2(dialogue),
    ]);
    const isOpen = (protocol: Protocol): boolean => seen.protocols[protocol].state !== 'offered';
    if (hasAnswered(seen) || first.kind === 'refused' || refused.length > 0) {
      await askEach(dialogue, CLASSIC.filter(isOpen), null, hunt);
    }
    if (hasAnswered(seen)) {
      await Promise.all([
        isOpen('TLSv1.3') ? askTls13(plan) : undefined,
        isOpen('SSLv2') ? askSslv2(dialogue) : undefined,
      ]);
    }
  }
  if (seen.protocols['TLSv1.3'].state !== 'offered') return;
  const outcome = await shakeHands(dialogue);
  if (outcome === 'done' && newestBySuite(seen) === undefined) await askOtherSignatures(dialogue);
}
