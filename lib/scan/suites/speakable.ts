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

/** Suites in which it can, in that version. */
export function speakableSuites(protocol: TlsProtocol): readonly Suite[] {
  return LISTS.get(protocol) ?? [];
}
