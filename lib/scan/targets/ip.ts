import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 or IPv6 address as a number. */
export interface Address {
  family: 4 | 6;
  value: bigint;
}

/** All addresses from `first` to `last`, both included. */
export interface AddressRange {
  family: 4 | 6;
  first: bigint;
  last: bigint;
}

const MAPPED_PREFIX = 0xffffn << 32n;

/**
 * Reads an address; null where the text is none. A mapped one (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is the
 * IPv4 address that it stands for. Zones (`fe80::1%eth0`) are not taken: they mean something on one machine only.
 */
export function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return { family: 4, value: fromParts(text.split('.'), 10, 8n) };
  if (!isIPv6(text) || text.includes('%')) return null;
  const value = parseIPv6(text);
  if (value >> 32n === MAPPED_PREFIX >> 32n) return { family: 4, value: value & 0xffffffffn };
  return { family: 6, value };
}

/** The one way to write an address: dotted, or RFC 5952 for IPv6. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) {
    const bits = Number(value); // a block of 65,536 is gone through several times, and BigInt is slow
    return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
  }
  const groups = toGroups(value).map(group => group.toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1); // the URL standard writes as RFC 5952 does
}

/** The text in its one form, or null where it is no address: `2001:DB8:0::1` gives `2001:db8::1`. */
export function normalizeAddress(text: string): string | null {
  const address = parseAddress(text);
  return address === null ? null : formatAddress(address);
}

/** Network byte order, 4 or 16 bytes. */
export function addressBytes({ family, value }: Address): Buffer {
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
}

/** The addresses of `192.0.2.0/24`; bits behind the prefix are ignored. Null where the text is no CIDR block. */
export function parseCidr(text: string): AddressRange | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1] === undefined ? null : parseAddress(match[1]);
  const prefix = Number(match?.[2]);
  if (address === null) return null;
  const bits = address.family === 4 ? 32 : 128;
  if (prefix > bits) return null;
  const hostBits = BigInt(bits - prefix);
  const first = (address.value >> hostBits) << hostBits;
  return { family: address.family, first, last: first + (1n << hostBits) - 1n };
}

export function rangeSize(range: AddressRange): bigint {
  return range.last - range.first + 1n;
}

export function isInRange(range: AddressRange, { family, value }: Address): boolean {
  return family === range.family && range.first <= value && value <= range.last;
}

function parseIPv6(text: string): bigint {
  const [head = '', tail] = withoutDots(text).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return fromParts([...left, ...zeros, ...right], 16, 16n);
}

/** `::ffff:192.0.2.1` with its last 32 bits as two groups. */
function withoutDots(text: string): string {
  const dotted = /[^:]+\.[^:]+$/.exec(text)?.[0];
  if (dotted === undefined) return text;
  const value = fromParts(dotted.split('.'), 10, 8n);
  return `${text.slice(0, -dotted.length)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function fromParts(parts: string[], radix: number, bits: bigint): bigint {
  return parts.reduce((sum, part) => (sum << bits) | BigInt(Number.parseInt(part, radix)), 0n);
}

function toGroups(value: bigint): bigint[] {
  return Array.from({ length: 8 }, (_, index) => (value >> (16n * BigInt(7 - index))) & 0xffffn);
}
