import type { Observation } from '../observation';
import { cipherSpec } from '../wire/cipher-spec';
import { isAgreeable } from '../wire/key-exchange';
import type { TlsProtocol } from '../wire/names';
import { allSuites } from './lists';
import type { Suite } from './suites';

/** Versions in which a handshake of our own can be completed, newest first. */
export const SPEAKABLE_PROTOCOLS: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1'];

const LISTS: ReadonlyMap<TlsProtocol, readonly Suite[]> = new Map(
  SPEAKABLE_PROTOCOLS.map(protocol => [
    protocol,
    allSuites(protocol)
      .filter(suite => isAgreeable(suite) && cipherSpec(suite) !== null)
      .toReversed(), // the best first, as clients of today do
  ]),
);

/** What to offer for one: the versions that were seen, with every suite in which it can be completed. */
export function speakableOffers(seen: Observation): { protocol: TlsProtocol; suites: readonly Suite[] }[] {
  return SPEAKABLE_PROTOCOLS.filter(protocol => seen.protocols[protocol].state === 'offered').map(protocol => ({
    protocol,
    suites: LISTS.get(protocol) ?? [],
  }));
}
