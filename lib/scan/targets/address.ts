import { domainToASCII } from 'node:url';
import { parseAddress, parseCidr, rangeSize, type AddressRange } from './ip';
import { SCHEMES } from './schemes';

/** What is left of `@` and what is right of it, before names are resolved. */
export interface Place {
  /** Null: bare addresses. */
  domain: string | null;
  /** Null: whatever the name resolves to. */
  addresses: AddressRange | null;
}

/** A wider block is more likely a slip of the finger than a wish. */
const MAX_RANGE_SIZE = 65_536n;

/** At the end of a bare IPv6 address these are rather meant as a port. */
const USUAL_PORTS = new Set([...Object.values(SCHEMES).map(({ port }) => port), 8443]);

const RANGE_FORM = 'a range is written 192.0.2.1-192.0.2.20, with a port [2001:db8::1]-[2001:db8::9]:443';

/** What is wrong with one entry and what was expected; becomes part of a BAD_TARGET text. */
export class TargetFault extends Error {}

/**
 * Splits `host:port`, `[v6]:port`, `block/24:port`, `first-last:port`, `domain@address:port` into what is before the
 * port and the port. A bare IPv6 address, block or range has no port: to give one, brackets are needed.
 */
export function splitPort(text: string): { host: string; port: string | null } {
  const at = text.lastIndexOf('@') + 1;
  const domain = text.slice(0, at);
  const rest = text.slice(at);
  const bracketed = /^\[([^\]]*)\](?:-\[([^\]]*)\])?(?::(.*))?$/.exec(rest);
  if (bracketed !== null) {
    const [, first = '', last, port] = bracketed;
    return { host: domain + (last === undefined ? first : `${first}-${last}`), port: port ?? null };
  }
  refuseAmbiguous(rest);
  if (parseAddress(rest) !== null || readRange(rest) !== null) return { host: text, port: null };
  const match = /^(.*):([^:]*)$/.exec(rest);
  if (match?.[1] === undefined || match[2] === undefined) return { host: text, port: null };
  if (match[1].includes(':') && parseCidr(match[1]) === null) {
    if (match[1].includes('-')) throw new TargetFault(RANGE_FORM);
    const isAddress = /^[\da-f:.]*(%.*)?$/i.test(match[1]) && /::|(:.*){7}/.test(rest);
    if (!isAddress) throw new TargetFault('one port follows the host; a list of ports is written host:443,8443');
    throw new TargetFault('an IPv6 address with a port is written [2001:db8::1]:443');
  }
  return { host: domain + match[1], port: match[2] };
}

/** `::1:443` is an address, but hardly the one that was meant. */
function refuseAmbiguous(text: string): void {
  const [, address = '', port = ''] = /^(.+):(\d+)$/.exec(text) ?? [];
  if (!address.includes(':') || !USUAL_PORTS.has(Number(port)) || parseAddress(address) === null) return;
  if (parseAddress(text) === null) return;
  throw new TargetFault(`the end may be a port or part of the address: write [${address}]:${port} or [${text}]`);
}

export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw new TargetFault(`port ${quote(text)} is not a number from 1 to 65535`);
  return port;
}

/** Reads a name, an address, a block, a range, or `domain@address`. */
export function parsePlace(text: string): Place {
  const at = text.lastIndexOf('@');
  if (at < 0) {
    const addresses = parseAddresses(text);
    return addresses === null ? { domain: parseName(text), addresses } : { domain: null, addresses };
  }
  const address = parseAddress(text.slice(at + 1));
  if (address === null) throw new TargetFault('behind @ an IP address is expected, as in www.example.com@192.0.2.7');
  const { family, value } = address;
  return { domain: parseName(text.slice(0, at)), addresses: { family, first: value, last: value } };
}

/** An address, block or range; null where the text is meant as a name. */
function parseAddresses(text: string): AddressRange | null {
  const address = parseAddress(text);
  if (address !== null) return { family: address.family, first: address.value, last: address.value };
  const range = readRange(text);
  if (range === null) {
    if (text.includes('/'))
      throw new TargetFault('a block is written 192.0.2.0/24 or 2001:db8::/120, a URL https://host/path');
    if (/^[\d.]+-/.test(text)) throw new TargetFault(RANGE_FORM);
    return null;
  }
  if (range.last < range.first) throw new TargetFault('the range ends before it starts');
  return range;
}

/** Refuses what would take a scan out of hand; excludes may be as wide as they like. */
export function checkSize(addresses: AddressRange | null): void {
  if (addresses === null || rangeSize(addresses) <= MAX_RANGE_SIZE) return;
  const size = rangeSize(addresses).toLocaleString('en-US');
  throw new TargetFault(`${size} addresses; at most 65,536 fit in one entry, which is a /16 (IPv6: a /112)`);
}

/** A host name in its one form: lower case, punycode, without the dot at its end. */
export function parseName(text: string): string {
  // domainToASCII stops reading at what ends a host in a URL, so those characters are refused first.
  const name = /[\s/\\?#@:%]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, '')).toLowerCase();
  const labels = name.split('.');
  const isName =
    /^[a-z0-9._-]+$/i.test(name) &&
    name.length <= 253 &&
    labels.every(label => /^(?!-)[a-z0-9_-]{1,63}$/.test(label) && !label.endsWith('-')) &&
    !/^\d+$/.test(labels.at(-1) ?? '');
  if (isName) return name;
  if (text.includes('*')) throw new TargetFault('* is for excludes; a target is one host, block or range');
  throw new TargetFault('neither a host name nor an IP address');
}

/** Text of a user for an error: short, on one line, without the password that a URL may hold. */
export function quote(text: string): string {
  const safe = text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*:.*@/is, '$1…@').replace(/\p{Cc}/gu, ' ');
  return `"${safe.length > 80 ? `${safe.slice(0, 79)}…` : safe}"`;
}

function readRange(text: string): AddressRange | null {
  const [first, last, ...more] = text.split('-').map(part => parseAddress(part.trim()));
  if (first === undefined || first === null || last === undefined || more.length > 0) return parseCidr(text);
  if (last === null || first.family !== last.family) return null;
  return { family: first.family, first: first.value, last: last.value };
}
