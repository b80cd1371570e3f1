import type { CheckId } from '../model/checks';
import type { Dialogue, HelloExtras, Opened } from './dialogue';
import type { Observation } from './observation';
import { malformed, type Reply } from './reply';
import type { Suite } from './suites/suites';
import { CLASSIC } from './versions';
import { AGREEABLE_GROUPS } from './wire/key-exchange';
import type { TlsProtocol } from './wire/names';

/** A server that was asked too often, or was busy, gets a moment. */
const PAUSE_MS = 200;

/**
 * The versions among `protocols` in which suites with a weakness may be taken, where they were seen first; empty when
 * every hello said that there are none. What was seen in one version may be in others: a scan looks for each weakness
 * once.
 */
export function versionsWith(
  seen: Observation,
  weakness: CheckId,
  protocols: readonly TlsProtocol[],
): readonly TlsProtocol[] {
  const has = (suite: Suite): boolean => suite.weaknesses.includes(weakness);
  const isKnown = (protocol: TlsProtocol): boolean => [...seen.accepted[protocol]].some(has);
  const isOpen = (protocol: TlsProtocol): boolean =>
    seen.undecided.some(one => one.protocol === protocol && one.suites.some(has));
  if (!CLASSIC.some(protocol => isKnown(protocol) || isOpen(protocol))) return [];
  const offered = protocols.filter(protocol => seen.protocols[protocol].state === 'offered');
  return [...offered.filter(isKnown), ...offered.filter(protocol => !isKnown(protocol))];
}

export interface Offer {
  protocol: TlsProtocol;
  suites: readonly Suite[];
}

/** What came of offers: what the connection was used for, or why there was none. */
export type Outcome<T> = { kind: 'used'; value: T } | Exclude<Reply, { kind: 'hit' }>;

/** Who answers oddly to this many offers, twice each, will to the next one too. */
const MAX_ODD = 2;

/** Connections that are all used after the same hello. The first one finds out which offer that is, others wait. */
export class Conversations {
  #found: Promise<Offer | Exclude<Reply, { kind: 'hit' }>> | null = null;

  /** `offers` are tried in turn; the groups offered are those in which a handshake can be completed. */
  constructor(
    private readonly dialogue: Dialogue,
    private readonly offers: readonly Offer[],
    private readonly extras: HelloExtras = {},
  ) {}

  /** Gives one connection to `use`. What cannot be done at first is not tried again. */
  async hold<T>(use: (opened: Opened) => Promise<T>): Promise<Outcome<T>> {
    if (this.#found !== null) {
      const found = await this.#found;
      if (!('suites' in found)) return found;
      const outcome = await this.#insist(found, use);
      return outcome.kind === 'refused' ? malformed(`it refused what it took before: ${outcome.reason}`) : outcome;
    }
    const first = this.#search(use);
    this.#found = first.then(({ offer, outcome }) => (outcome.kind === 'used' ? offer : outcome));
    return (await first).outcome;
  }

  /** Of what did not work, an answer that says nothing goes before a refusal. */
  async #search<T>(use: (opened: Opened) => Promise<T>): Promise<{ offer: Offer; outcome: Outcome<T> }> {
    let odd = 0;
    let last: Outcome<T> = { kind: 'refused', reason: 'there was nothing to offer', alert: null };
    for (const offer of this.offers) {
      const outcome = await this.#insist(offer, use);
      if (outcome.kind === 'used') return { offer, outcome };
      if (last.kind !== 'unknown') last = outcome;
      if (outcome.kind === 'unknown') odd += 1;
      if (odd === MAX_ODD) break;
    }
    return { offer: NO_OFFER, outcome: last };
  }

  /** An odd answer gets a second chance. */
  async #insist<T>(offer: Offer, use: (opened: Opened) => Promise<T>): Promise<Outcome<T>> {
    const first = await this.#converse(offer, use);
    if (first.kind !== 'unknown' || first.how === 'stopped') return first;
    await this.dialogue.line.pause(PAUSE_MS);
    return this.#converse(offer, use);
  }

  async #converse<T>({ protocol, suites }: Offer, use: (opened: Opened) => Promise<T>): Promise<Outcome<T>> {
    const extras = { groups: AGREEABLE_GROUPS, ...this.extras };
    const reply = await this.dialogue.converse(protocol, suites, extras, use);
    if (reply.kind === 'hit') return malformed('its first flight did not come to an end');
    return reply;
  }
}

const NO_OFFER: Offer = { protocol: 'TLSv1.2', suites: [] };
