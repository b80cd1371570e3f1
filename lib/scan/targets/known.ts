import type { Endpoint } from '../../model/endpoint';
import { parseAddress } from './ip';
import { parseExcludes, type Target, type TargetList } from './parse';

/**
 * Known endpoints as targets, each at the address where it was seen. One whose name never resolved is looked up again;
 * one that came from a file (port 0) can't be scanned. Throws CertDeskError `BAD_TARGET` for a bad exclude only.
 */
export function knownTargets(known: readonly { endpoint: Endpoint }[], exclude: unknown): TargetList {
  const endpoints = known.map(({ endpoint }) => endpoint).filter(canBeScanned);
  const targets = { [Symbol.iterator]: () => targetsOf(endpoints) };
  return { targets, total: endpoints.length, isExcluded: parseExcludes(exclude) };
}

function canBeScanned({ domain, ip, port }: Endpoint): boolean {
  return port !== 0 && (domain !== null || parseAddress(ip) !== null);
}

function* targetsOf(endpoints: readonly Endpoint[]): Generator<Target> {
  for (const { domain, ip, port, starttls } of endpoints) {
    const address = parseAddress(ip);
    const addresses = address && { family: address.family, first: address.value, last: address.value };
    yield { domain, addresses, ports: [port], starttls };
  }
}
