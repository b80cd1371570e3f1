import { domainToASCII } from 'node:url';
import type { Endpoint } from '../../model/endpoint';
import { makeMatcher } from '../../model/lists';
import { parseName, parsePlace, parsePort, splitPort } from './address';
import { isInRange, parseAddress } from './ip';

/** Whether an endpoint is to be left alone. */
export type IsExcluded = (endpoint: Pick<Endpoint, 'domain' | 'ip' | 'port'>) => boolean;

/**
 * Reads one exclude: a name (all its addresses), an address, block or range (also for names that resolve into it),
 * `domain@address`, or a pattern with `*` on name or address; each with or without a port. Throws TargetFault.
 */
export function parseExclude(text: string): IsExcluded {
  const { host, port: portText } = text.includes('*') ? splitPattern(text) : splitPort(text);
  const port = portText === null ? null : parsePort(portText);
  const matches = host.includes('*') ? patternTest(host) : placeTest(host);
  return endpoint => (port === null || endpoint.port === port) && matches(endpoint);
}

function splitPattern(text: string): { host: string; port: string | null } {
  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/s.exec(text) ?? [];
  return { host: bracketed ?? plain, port: port ?? null };
}

function patternTest(pattern: string): IsExcluded {
  const isAddress = /^[\da-f.:*]+$/i.test(pattern);
  // With its stars filled in it must look like a name, else the exclude would never match and nobody would know.
  if (!isAddress) parseName(pattern.replaceAll('*', 'x'));
  const matches = makeMatcher([isAddress ? pattern : domainToASCII(pattern) || pattern]);
  return ({ domain, ip }) => (domain !== null && matches(domain)) || matches(ip);
}

function placeTest(text: string): IsExcluded {
  const { domain, addresses } = parsePlace(text);
  return endpoint => {
    if (domain !== null && endpoint.domain !== domain) return false;
    if (addresses === null) return true;
    const address = parseAddress(endpoint.ip);
    return address !== null && isInRange(addresses, address);
  };
}
