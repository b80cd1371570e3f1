import type { Endpoint } from '../../model/endpoint';
import { parseAddress } from './ip';
import { parseExcludes, type Target, type TargetList } from './parse';

/**
 * Known endpoints as targets, each at the address where it was seen. One whose name never resolved is looked up again;
 * one that came from a file (port 0) can't be scanned. Throws CertDeskError `BAD_TARGET` for a bad exclude only.
 */
export function knownTargets(known: readonly { endpoint: Endpoint }[], exclude: unknown): TargetList {
  const targets = known.flatMap(({ endpoint: { domain, ip, port, starttls } }): Target[] => {
    const address = parseAddress(ip);
    if (port === 0 || (address === null && domain === null)) return [];
    const addresses = address && { family: address.family, first: address.value, last: address.value };
    return [{ domain, addresses, ports: [port], starttls }];
  });
  return { targets, isExcluded: parseExcludes(exclude) };
}
