import type { CheckId } from '../model/checks';
import type { Dialogue, HelloExtras, Opened } from './dialogue';
import type { Observation } from './observation';
import type { Reply } from './reply';
import type { Suite } from './suites/suites';
import { CLASSIC } from './versions';
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

/**
 * Makes offers one after the other until the server takes one, and gives that connection to `use`; an odd answer gets a
 * second chance. What came of the last one otherwise, where an answer that says nothing goes before a refusal.
 */
export async function converseInTurn<T>(
  dialogue: Dialogue,
  offers: readonly Offer[],
  extras: HelloExtras,
  use: (opened: Opened, offer: Offer) => Promise<T>,
): Promise<{ kind: 'used'; value: T } | Reply> {
  let last: Reply = { kind: 'refused', reason: 'nothing was offered', alert: null };
  for (const offer of offers) {
    const converse = (): Promise<{ kind: 'used'; value: T } | Reply> =>
      dialogue.converse(offer.protocol, offer.suites, extras, opened => use(opened, offer));
    let reply = await converse();
    if (reply.kind === 'unknown' && reply.how !== 'stopped') {
      await dialogue.line.pause(PAUSE_MS);
      reply = await converse();
    }
    if (reply.kind === 'used') return reply;
    if (last.kind !== 'unknown') last = reply;
  }
  return last;
}
