import { makeEndpoint, placeOf, type Endpoint } from '../../model/endpoint';
import { formatAddress } from './ip';
import type { Target, TargetList } from './parse';
import { inPieces } from './pieces';

/** What is known of a name: its addresses, or why it has none. */
export type Answer = { ips: readonly string[] } | { reason: string };

/** All endpoints of a name at an address. */
export interface PlaceEndpoints {
  /** None where they are excluded, or were given out before. */
  endpoints: Endpoint[];
  /** Why the name has no address: `ENOTFOUND`, `EAI_AGAIN`, `TIMEOUT`, `STOPPED`, …; `ip` is '' then. */
  reason: string | null;
}

/** What one target wants of one place. */
interface Part extends Pick<Target, 'domain' | 'ports' | 'starttls'> {
  ip: string;
  reason: string | null;
}

/**
 * The endpoints of a run, made when they are asked for. All that is kept is what targets want of a place that several of
 * them name.
 */
export class Places implements Iterable<PlaceEndpoints> {
  /** How many endpoints there are, each counted once. */
  count = 0;
  /** By place, for places that several targets name: port and how it is spoken to. */
  readonly #shared = new Map<string, Map<number, string | null>>();

  private constructor(
    private readonly list: TargetList,
    private readonly answers: ReadonlyMap<string, Answer>,
  ) {}

  /** Counts them. Where a stop comes in between and the list is long, the count is that of the list as written. */
  static async survey(list: TargetList, answers: ReadonlyMap<string, Answer>, signal?: AbortSignal): Promise<Places> {
    const places = new Places(list, answers);
    if (!(await places.#survey(signal))) places.count = list.total;
    return places;
  }

  /** In the order of the targets; what later ones want of the same place comes with the first. */
  *[Symbol.iterator](): Generator<PlaceEndpoints> {
    const given = new Set<string>();
    for (const part of this.#parts()) {
      const place = placeOf(part);
      const isGiven = given.has(place);
      if (this.#shared.has(place)) given.add(place);
      yield { endpoints: isGiven ? [] : this.#endpointsOf(part), reason: part.reason };
    }
  }

  *#parts(): Generator<Part> {
    for (const { domain, addresses, ports, starttls } of this.list.targets) {
      const part = { domain, ports, starttls, reason: null };
      if (addresses !== null) {
        const { family, first, last } = addresses;
        for (let value = first; value <= last; value++) yield { ...part, ip: formatAddress({ family, value }) };
        continue;
      }
      const answer = this.answers.get(domain ?? '') ?? { reason: 'STOPPED' };
      if ('reason' in answer) yield { ...part, ip: '', reason: answer.reason };
      else for (const ip of answer.ips) yield { ...part, ip };
    }
  }

  async #survey(signal?: AbortSignal): Promise<boolean> {
    const hashes: number[] = [];
    const look = (part: Part): void => {
      hashes.push(hash(placeOf(part)));
      this.count += this.#portsOf(part).length;
    };
    if (!(await inPieces(this.#parts(), look, signal))) return false;
    const sorted = Float64Array.from(hashes).sort();
    const repeated = new Set(sorted.filter((value, index) => value === sorted[index - 1]));
    if (repeated.size === 0) return true;
    const share = (part: Part): void => {
      const place = placeOf(part);
      if (repeated.has(hash(place))) this.#share(place, part);
    };
    if (!(await inPieces(this.#parts(), share, signal))) return false;
    this.count = 0;
    return inPieces(this, ({ endpoints }) => (this.count += endpoints.length), signal);
  }

  #share(place: string, { ports, starttls }: Part): void {
    const wanted = this.#shared.get(place) ?? new Map<number, string | null>();
    this.#shared.set(place, wanted);
    for (const port of ports) if (!wanted.has(port)) wanted.set(port, starttls);
  }

  #endpointsOf(part: Part): Endpoint[] {
    const { domain, ip } = part;
    return this.#portsOf(part).map(([port, starttls]) => makeEndpoint({ domain, ip, port, starttls }));
  }

  /** Each port that is not excluded, once, and how it is spoken to. */
  #portsOf({ domain, ip, ports, starttls }: Part): [port: number, starttls: string | null][] {
    const shared = this.#shared.size > 0 ? this.#shared.get(placeOf({ domain, ip })) : undefined;
    const wanted: [number, string | null][] = shared
      ? [...shared]
      : (ports.length > 1 ? [...new Set(ports)] : ports).map(port => [port, starttls]);
    return wanted.filter(([port]) => !this.list.isExcluded({ domain, ip, port }));
  }
}

/** 53 bits; that two places share one does no harm. */
function hash(text: string): number {
  let high = 0x811c9dc5;
  let low = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193); // FNV-1a
    low = Math.imul(low + code, 0x9e3779b1) ^ (low >>> 15);
  }
  return (high >>> 0) * 2 ** 21 + (low >>> 11);
}
