import { quote } from './address';
import type { Faults } from './faults';
import type { Listed } from './parse';

/** What one target wants of one port; addresses as numbers on one line, IPv6 behind IPv4. */
interface Wish {
  first: bigint;
  last: bigint;
  listed: Listed;
}

const IPV6_FROM = 1n << 32n;
const END = 1n << 130n;

/**
 * Finds ports that are wanted both with STARTTLS and without, or with two protocols of it: an endpoint is looked at in
 * one way. A name without an address may have any.
 */
export function findConflicts(targets: Iterable<Listed>, faults: Faults): void {
  const wishes = new Map<string, Wish[]>();
  for (const listed of targets) {
    const { domain, ports } = listed.target;
    for (const port of ports) {
      const key = `${domain ?? ''}:${port}`;
      const wish = { ...spanOf(listed), listed };
      const others = wishes.get(key);
      if (others === undefined) wishes.set(key, [wish]);
      else others.push(wish);
    }
  }
  const found = new Map<Listed, string>();
  for (const [key, each] of wishes) {
    if (each.length > 1) findAtPort(key.slice(key.lastIndexOf(':') + 1), each, found);
  }
  for (const [{ entry }, text] of [...found].sort(([a], [b]) => a.entry.line - b.entry.line)) {
    faults.add(entry.line, `${quote(entry.text)}: ${text}`);
  }
}

/** Goes through the wishes by their first address, and keeps for each way how far it reaches. */
function findAtPort(port: string, wishes: Wish[], found: Map<Listed, string>): void {
  const reaching = new Map<string | null, Wish>();
  for (const wish of wishes.sort((a, b) => (a.first < b.first ? -1 : Number(a.first > b.first)))) {
    const { starttls } = wish.listed.target;
    for (const [way, other] of reaching) {
      if (way === starttls || other.last < wish.first) continue;
      const [earlier, later] = [other.listed, wish.listed].sort((a, b) => a.entry.line - b.entry.line) as [
        Listed,
        Listed,
      ];
      const text = `port ${port} is in line ${earlier.entry.line} ${wayOf(earlier)}, here ${wayOf(later)}; keep one of them`;
      if (!found.has(later)) found.set(later, text);
    }
    const before = reaching.get(starttls);
    if (before === undefined || before.last < wish.last) reaching.set(starttls, wish);
  }
}

function wayOf({ target: { starttls } }: Listed): string {
  return starttls === null ? 'for TLS from the first byte' : `for ${starttls} with STARTTLS`;
}

function spanOf({ target: { addresses } }: Listed): Pick<Wish, 'first' | 'last'> {
  if (addresses === null) return { first: 0n, last: END };
  const from = addresses.family === 6 ? IPV6_FROM : 0n;
  return { first: from + addresses.first, last: from + addresses.last };
}
