import type { Protocol } from '../model/report';
import type { Dialogue } from './dialogue';
import { hasAnswered } from './observation';
import { conclude, type Reply } from './reply';
import { huntSuites, type HuntLimits } from './suite-hunt';
import {
  allSuites,
  COMMON,
  COMMON_BEFORE_TLS12,
  HEALTHY_ECDSA,
  HEALTHY_RSA,
  WEAK_OR_ECDSA,
  WEAK_OR_RSA,
  weakSuites,
} from './suites/lists';
import type { Suite } from './suites/suites';
import { askTls13, shakeHands } from './tls13';
import { askEach, CLASSIC, concludeAbove, findVersions, foundBy } from './versions';
import type { TlsProtocol } from './wire/names';

const PROTOCOL_VERSION = 70;
/** Suites of one version are asked for this many timeouts long, so that a server that answers late each time ends. */
const HUNT_TIMEOUTS = 20;
/** SSLv3 to TLS 1.2 may be hunted at the same time. */
const HUNTS_AT_ONCE = 4;

interface Plan {
  dialogue: Dialogue;
  profile: 'quick' | 'full';
  limits: HuntLimits;
  /** Starts looking for the suites of a version; once for each. */
  hunt: (protocol: TlsProtocol) => void;
}

/**
 * The base of every scan: versions, suites and certificates. A healthy server of TLS 1.2 and 1.3 is asked five times:
 * for its certificate as a client of today would, then at once for anything older than TLS 1.2, SSLv2, weak suites of
 * TLS 1.2, weak suites of TLS 1.3. What it showed is in `dialogue.seen`; returned is what the first hello brought.
 */
export async function scanBase(dialogue: Dialogue, profile: 'quick' | 'full'): Promise<Reply> {
  const { line } = dialogue;
  const limits: HuntLimits = {
    ways: Math.max(1, Math.floor(line.connections / HUNTS_AT_ONCE)),
    deadline: Date.now() + HUNT_TIMEOUTS * line.timeoutMs,
  };
  const hunts = new Map<TlsProtocol, Promise<void>>();
  const hunt = (protocol: TlsProtocol): void => {
    if (hunts.has(protocol)) return;
    const suites = profile === 'full' ? allSuites(protocol) : weakSuites(protocol);
    hunts.set(protocol, huntSuites(dialogue, protocol, suites, limits));
  };
  const plan: Plan = { dialogue, profile, limits, hunt };
  const first = await dialogue.ask('TLSv1.2', COMMON);
  if (isHopeless(first)) return first;
  if (first.kind === 'hit') {
    const found = foundBy(first) ?? 'TLSv1.2';
    concludeAbove(dialogue, found, 'TLSv1.2');
    const older = CLASSIC[CLASSIC.indexOf(found) - 1];
    if (found !== 'TLSv1.2') hunt(found);
    await Promise.all([
      found === 'TLSv1.2' ? huntTls12(plan, first.suite) : undefined,
      older === undefined ? undefined : findVersions(dialogue, older, hunt),
      askSslv2(dialogue),
      askTls13(plan),
    ]);
  } else {
    await scanUncommon(plan, first);
  }
  await Promise.all(hunts.values());
  return first;
}

const HOPELESS: ReadonlySet<string> = new Set(['not-connected', 'no-starttls', 'stopped']);

/** Nobody there, nobody who speaks TLS, or nobody who wants to know any more. */
function isHopeless(first: Reply): boolean {
  if (first.kind !== 'unknown') return false;
  return HOPELESS.has(first.how) || first.word === 'NOT_TLS';
}

async function askSslv2(dialogue: Dialogue): Promise<void> {
  conclude(dialogue.seen, ['SSLv2'], await dialogue.askSslv2());
}

/**
 * Weak suites of TLS 1.2, and with the same hello the healthy ones of the other kind of certificate: a server that has
 * one certificate and no weak suite says no to both at once.
 */
async function huntTls12({ dialogue, profile, limits }: Plan, first: Suite | null): Promise<void> {
  const { seen } = dialogue;
  if (profile === 'full') return huntSuites(dialogue, 'TLSv1.2', allSuites('TLSv1.2'), limits);
  const weak = weakSuites('TLSv1.2');
  const { merged, other } = otherKind(first) ?? { merged: weak, other: [] };
  const reply = await dialogue.ask('TLSv1.2', merged);
  if (reply.kind === 'refused') return;
  if (reply.kind === 'unknown') {
    seen.undecided.push({ protocol: 'TLSv1.2', suites: weak, reason: reply.reason });
    return;
  }
  await huntSuites(dialogue, 'TLSv1.2', weak, limits);
  const kinds = new Set([...seen.accepted['TLSv1.2']].map(suite => suite.auth));
  if (other[0] === undefined || kinds.has(other[0].auth)) return;
  const last = await dialogue.ask('TLSv1.2', other);
  if (last.kind === 'unknown') seen.undecided.push({ protocol: 'TLSv1.2', suites: other, reason: last.reason });
}

/** The healthy suites for the kind of certificate that `first` did not need. */
function otherKind(first: Suite | null): { merged: readonly Suite[]; other: readonly Suite[] } | null {
  if (first?.auth === 'ECDSA') return { merged: WEAK_OR_RSA, other: HEALTHY_RSA };
  if (first?.auth === 'RSA') return { merged: WEAK_OR_ECDSA, other: HEALTHY_ECDSA };
  return null;
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
  if (hasAnswered(seen)) {
    await Promise.all([findVersions(dialogue, 'TLSv1.1', hunt), askSslv2(dialogue)]);
  } else {
    await Promise.all([
      isTooOld ? undefined : askTls13(plan),
      askEach(dialogue, ['TLSv1.1', 'TLSv1', 'SSLv3'], COMMON_BEFORE_TLS12, hunt),
      askSslv2(dialogue),
    ]);
    const isOpen = (protocol: Protocol): boolean => seen.protocols[protocol].state !== 'offered';
    if (hasAnswered(seen) || first.kind === 'refused') {
      await askEach(dialogue, CLASSIC.filter(isOpen), null, hunt);
    }
    if (hasAnswered(seen)) {
      await Promise.all([
        isOpen('TLSv1.3') ? askTls13(plan) : undefined,
        isOpen('SSLv2') ? askSslv2(dialogue) : undefined,
      ]);
    }
  }
  if (seen.protocols['TLSv1.3'].state === 'offered') await shakeHands(dialogue);
}
