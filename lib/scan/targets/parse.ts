import { CertDeskError } from '../../model/errors';
import { listEntries, type ListEntry } from '../../model/lists';
import { checkSize, parsePlace, parsePort, quote, splitPort, TargetFault, type Place } from './address';
import { findConflicts } from './conflicts';
import { parseExclude, type IsExcluded } from './exclude';
import { Faults } from './faults';
import { rangeSize } from './ip';
import { SCHEMES, type Scheme } from './schemes';

/** One entry of a target list: a name, an address, a block or a range, with its ports. */
export interface Target extends Place {
  ports: number[];
  /** STARTTLS protocol, null for TLS from the first byte. */
  starttls: string | null;
}

/** A target with where it was read. */
export interface Listed {
  target: Target;
  entry: ListEntry;
}

/** What to scan; made by `parseTargets`, turned into endpoints by `resolveTargets`. */
export interface TargetList {
  /** Made anew each time they are gone through, so that a long list needs no memory beside its text. */
  readonly targets: Iterable<Target>;
  /** How many endpoints they are at most, if each name has one address. */
  readonly total: number;
  readonly isExcluded: IsExcluded;
}

/** More would take hours, and are more likely a slip of the finger. */
const MAX_ENDPOINTS = 262_144n;

const DEFAULT_SCHEME: Scheme = { port: 443, starttls: null };
const FORMS =
  'host, host:port, host:443,8443, https://host, smtp://host, 192.0.2.0/24, 192.0.2.1-192.0.2.20, host@192.0.2.7, [2001:db8::1]:443';

/**
 * Reads targets and excludes (text with one entry a line, commas also part entries, or an array). Nothing is resolved
 * and no block is expanded here. Throws CertDeskError `BAD_TARGET`, which names every line that doesn't parse, and also
 * when there is no target at all: a scan of nothing would look like an all-clear.
 */
export function parseTargets(targets: unknown, options: { exclude?: unknown } = {}): TargetList {
  const source = readSource(targets === undefined ? '' : targets, 'Targets');
  const faults = new Faults('line');
  const ways = new Set<string | null>();
  let total = 0n;
  for (const { target } of readTargets(source, faults)) {
    ways.add(target.starttls);
    total += (target.addresses === null ? 1n : rangeSize(target.addresses)) * BigInt(target.ports.length);
  }
  if (ways.size > 1) findConflicts(readTargets(source, new Faults('line')), faults);
  const excludeFaults = new Faults('exclude line');
  const isExcluded = readExcludes(options.exclude, excludeFaults);
  refuse([...faults.texts, ...excludeFaults.texts]);
  checkTotal(total);
  return { targets: { [Symbol.iterator]: () => targetsOf(source) }, total: Number(total), isExcluded };
}

/** Reads excludes alone, for targets that come from elsewhere. Throws as `parseTargets` does. */
export function parseExcludes(exclude: unknown): IsExcluded {
  const faults = new Faults('exclude line');
  const isExcluded = readExcludes(exclude, faults);
  refuse(faults.texts);
  return isExcluded;
}

function readExcludes(exclude: unknown, faults: Faults): IsExcluded {
  const excludes: IsExcluded[] = [];
  for (const entry of listEntries(readSource(exclude ?? '', 'Excludes'))) {
    const isExcluded = attempt(faults, entry, () => parseExclude(entry.text));
    if (isExcluded !== null) excludes.push(isExcluded);
  }
  return endpoint => excludes.some(isExcluded => isExcluded(endpoint));
}

/** A copy, since whoever gave an array may change it while the scan goes on. */
function readSource(value: unknown, what: 'Targets' | 'Excludes'): string | string[] {
  if (typeof value === 'string') return value;
  const form = `${what} are a text with one a line, or an array of texts`;
  if (!Array.isArray(value)) throw new CertDeskError('BAD_TARGET', `${form}, not ${typeName(value)}.`);
  const wrong = value.findIndex(element => typeof element !== 'string');
  if (wrong < 0) return [...(value as string[])];
  throw new CertDeskError('BAD_TARGET', `${form}; element ${wrong + 1} is ${typeName(value[wrong])}.`);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function refuse(faults: string[]): void {
  if (faults.length > 0) throw new CertDeskError('BAD_TARGET', `${faults.join('\n')}\nA target is one of: ${FORMS}`);
}

/** Null, and a fault more, where the entry is wrong. */
function attempt<T>(faults: Faults, entry: ListEntry, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TargetFault)) throw error;
    faults.add(entry.line, `${quote(entry.text)}: ${error.message}`);
    return null;
  }
}

function* targetsOf(source: string | string[]): Generator<Target> {
  for (const { target } of readTargets(source, new Faults('line'))) yield target;
}

/** Puts ports that follow behind commas to their host. What is wrong is left out and told. */
function* readTargets(source: string | string[], faults: Faults): Generator<Listed> {
  let last: { target: Target | null; hasPort: boolean; entry: ListEntry } | null = null;
  for (const entry of listEntries(source)) {
    if (/^\d+$/.test(entry.text)) {
      const host = last?.entry.line === entry.line && last.hasPort ? last : null;
      const port = attempt(faults, entry, () => readFurtherPort(host, entry.text));
      if (port !== null) host?.target?.ports.push(port);
      continue;
    }
    if (last?.target) yield { target: last.target, entry: last.entry };
    const parsed = attempt(faults, entry, () => parseTarget(entry.text));
    last = { target: parsed?.target ?? null, hasPort: parsed?.hasPort ?? /:\d*$/.test(entry.text), entry };
  }
  if (last?.target) yield { target: last.target, entry: last.entry };
}

/** Where the host itself was refused, that one complaint is enough. */
function readFurtherPort(host: { target: Target | null } | null, text: string): number | null {
  if (host === null) throw new TargetFault('a port without a host; a list of ports is written host:443,8443');
  return host.target === null ? null : parsePort(text);
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

function checkTotal(total: bigint): void {
  if (total === 0n) throw new CertDeskError('BAD_TARGET', `No targets. Write one a line, as ${FORMS}`);
  if (total <= MAX_ENDPOINTS) return;
  throw new CertDeskError(
    'BAD_TARGET',
    `${total.toLocaleString('en-US')} endpoints; one run takes at most 262,144. Split the list over several runs.`,
  );
}
