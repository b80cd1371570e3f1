import type { Observation } from '../observation';
import { cipherSpec } from '../wire/cipher-spec';
import { isAgreeable } from '../wire/key-exchange';
import type { TlsProtocol } from '../wire/names';
import { allSuites } from './lists';
import type { Suite } from './suites';

/** Versions of TLS in which a handshake of our own can be completed, newest first. */
export const SPEAKABLE_PROTOCOLS: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1'];

/** The best first, as clients of today do. */
const LISTS: ReadonlyMap<TlsProtocol, readonly Suite[]> = new Map(
  [...SPEAKABLE_PROTOCOLS, 'SSLv3' as const].map(protocol => [
    protocol,
    allSuites(protocol)
      .filter(
        suite => isAgreeable(suite) && cipherSpec(suite) !== null && (protocol !== 'SSLv3' || suite.mac === 'SHA'),
      )
      .toReversed(),
  ]),
);

/**
 * What to offer for one: the versions that were seen, with every suite in which it can be completed; SSLv3 where no
 * version of TLS is offered.
 */
export function speakableOffers(seen: Observation): { protocol: TlsProtocol; suites: readonly Suite[] }[] {
  const isOffered = (protocol: TlsProtocol): boolean => seen.protocols[protocol].state === 'offered';
  const inTls = SPEAKABLE_PROTOCOLS.filter(isOffered);
  const protocols = inTls.length > 0 ? inTls : (['SSLv3'] as const).filter(isOffered);
  return protocols.map(protocol => ({ protocol, suites: LISTS.get(protocol) ?? [] }));
}
