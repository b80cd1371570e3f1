import { CertDeskError } from '../../model/errors';
import { parseList, type ListEntry } from '../../model/lists';
import { checkSize, parsePlace, parsePort, quote, splitPort, TargetFault, type Place } from './address';
import { parseExclude, type IsExcluded } from './exclude';
import { rangeSize } from './ip';
import { SCHEMES, type Scheme } from './schemes';

/** One entry of a target list: a name, an address, a block or a range, with its ports. */
export interface Target extends Place {
  ports: number[];
  /** STARTTLS protocol, null for TLS from the first byte. */
  starttls: string | null;
}

/** What to scan; made by `parseTargets`, turned into endpoints by `resolveTargets`. */
export interface TargetList {
  readonly targets: readonly Target[];
  readonly isExcluded: IsExcluded;
}

/** The endpoints of one run are held in memory. */
export const MAX_ENDPOINTS = 262_144n;

const DEFAULT_SCHEME: Scheme = { port: 443, starttls: null };
const FORMS =
  'host, host:port, host:443,8443, https://host, smtp://host, 192.0.2.0/24, 192.0.2.1-192.0.2.20, host@192.0.2.7, [2001:db8::1]:443';

/**
 * Reads targets and excludes (text with one entry a line, commas also part entries, or an array). Nothing is resolved
 * and no block is expanded here. Throws CertDeskError `BAD_TARGET`, which names every line that doesn't parse, and also
 * when there is no target at all: a scan of nothing would look like an all-clear.
 */
export function parseTargets(targets: unknown, options: { exclude?: unknown } = {}): TargetList {
  const faults: string[] = [];
  const parsed: Target[] = [];
  let previous: { target: Target | null; hasPort: boolean; line: number } | null = null;
  for (const entry of parseList(targets)) {
    attempt(faults, 'line', entry, () => {
      if (/^\d+$/.test(entry.text)) {
        if (previous?.line !== entry.line || !previous.hasPort) {
          throw new TargetFault('a port without a host; a list of ports is written host:443,8443');
        }
        // Where the host itself was refused, that one complaint is enough.
        previous.target?.ports.push(parsePort(entry.text));
        return;
      }
      previous = { target: null, hasPort: /:\d*$/.test(entry.text), line: entry.line };
      const { target, hasPort } = parseTarget(entry.text);
      previous = { target, hasPort, line: entry.line };
      parsed.push(target);
    });
  }
  const isExcluded = readExcludes(options.exclude, faults);
  refuse(faults);
  checkTotal(parsed);
  return { targets: parsed, isExcluded };
}

/** Reads excludes alone, for targets that come from elsewhere. Throws as `parseTargets` does. */
export function parseExcludes(exclude: unknown): IsExcluded {
  const faults: string[] = [];
  const isExcluded = readExcludes(exclude, faults);
  refuse(faults);
  return isExcluded;
}

function readExcludes(exclude: unknown, faults: string[]): IsExcluded {
  const excludes: IsExcluded[] = [];
  for (const entry of parseList(exclude)) {
    attempt(faults, 'exclude line', entry, () => excludes.push(parseExclude(entry.text)));
  }
  return endpoint => excludes.some(isExcluded => isExcluded(endpoint));
}

function refuse(faults: string[]): void {
  if (faults.length > 0) throw new CertDeskError('BAD_TARGET', `${faults.join('\n')}\nA target is one of: ${FORMS}`);
}

function attempt(faults: string[], label: string, entry: ListEntry, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof TargetFault)) throw error;
    faults.push(`${label} ${entry.line}: ${quote(entry.text)}: ${error.message}`);
  }
}

function parseTarget(text: string): { target: Target; hasPort: boolean } {
  const { scheme, rest } = splitScheme(text);
  const { host, port } = splitPort(rest);
  const place = parsePlace(host);
  checkSize(place.addresses);
  const ports = [port === null ? scheme.port : parsePort(port)];
  return { target: { ...place, ports, starttls: scheme.starttls }, hasPort: port !== null };
}

/** Takes off `scheme://` and, of a URL, what follows the host. */
function splitScheme(text: string): { scheme: Scheme; rest: string } {
  const match = /^([^:/@]*):\/\/(.*)$/s.exec(text);
  if (match === null) return { scheme: DEFAULT_SCHEME, rest: text };
  const [, name = '', url = ''] = match;
  const scheme = Object.hasOwn(SCHEMES, name.toLowerCase()) ? SCHEMES[name.toLowerCase()] : undefined;
  if (scheme === undefined) {
    throw new TargetFault(`unknown scheme ${quote(name)}; known are ${Object.keys(SCHEMES).join(', ')}`);
  }
  // smtp://192.0.2.0/24 is a block; in https://192.0.2.1/24 the rest is a path.
  const isBlock = scheme.starttls !== null && /^[^/@]+\/\d{1,3}(:\d+)?$/.test(url);
  return { scheme, rest: isBlock ? url : (/^[^/?#]*/.exec(url)?.[0] ?? '') };
}

function checkTotal(targets: Target[]): void {
  if (targets.length === 0) {
    throw new CertDeskError('BAD_TARGET', `No targets. Write one a line, as ${FORMS}`);
  }
  const total = targets.reduce(
    (sum, { addresses, ports }) => sum + (addresses === null ? 1n : rangeSize(addresses)) * BigInt(ports.length),
    0n,
  );
  if (total <= MAX_ENDPOINTS) return;
  throw new CertDeskError(
    'BAD_TARGET',
    `${total.toLocaleString('en-US')} endpoints; one run takes at most 262,144. Split the list over several runs.`,
  );
}
