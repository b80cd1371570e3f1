import type { Finding } from '../../lib/model/finding';
import { certificate, check, cipher, endpoint, expiry, RC4, TRIPLE_DES, vulnerability } from '../tickets/samples';
import { ExpectedKey, type Sending, type Status } from './model';
import type { Random } from './random';

const CBC = cipher('0004', 'TLS_RSA_WITH_RC4_128_MD5', 'insecure');

export interface ScriptRun {
  runId: string;
  sendings: Sending[];
  /** What people do at the helpdesk when the run is over. */
  byHand: { key: string; status: Status }[];
}

/** Everything that is going to be found and done, and what must come of it. */
export interface Script {
  keys: string[];
  runs: ScriptRun[];
  expected: ReadonlyMap<string, ExpectedKey>;
}

/**
 * A life for each key: new, standing, renewed, fixed, unknown, back again, closed or put on hold by hand; each key is
 * due at least once. `name` starts every key: a real helpdesk keeps the tickets of earlier tests.
 */
export function writeScript(options: { name: string; keys: number; runs: number; random: Random }): Script {
  const { name, random } = options;
  const lives = Array.from({ length: options.keys }, (_, index) => new Life(`${name}-${index}`, index, random));
  const runs = Array.from({ length: options.runs }, (_, index) => {
    const runId = `${name}-run-${index + 1}`;
    const isLast = index === options.runs - 1;
    const sendings = random.shuffle(lives.map(life => life.next(runId, index + 1, isLast)));
    const byHand = isLast ? [] : lives.flatMap(life => life.byHand());
    return { runId, sendings, byHand };
  });
  const expected = new Map(lives.map(life => [life.key, life.expected]));
  return { keys: [...expected.keys()], runs, expected };
}

class Life {
  readonly expected = new ExpectedKey();
  private state: Finding['state'] = 'active';
  private places = 1;

  constructor(
    readonly key: string,
    private readonly index: number,
    private readonly random: Random,
  ) {}

  next(runId: string, run: number, isLast: boolean): Sending {
    const { random } = this;
    this.state = this.nextState(run === 1);
    const mustBeDue = isLast && this.expected.ticket === null;
    if (mustBeDue) this.state = 'active';
    const finding = { ...this.finding(run), key: this.key, runId, state: this.state };
    const isStanding = this.state === 'active' && !mustBeDue && random.chance(0.2);
    const sending = { finding, isStanding };
    this.expected.apply(sending);
    return sending;
  }

  byHand(): { key: string; status: Status }[] {
    if (!this.expected.isOpen || !this.random.chance(0.25)) return [];
    const status = this.random.pick(['resolved', 'resolved', 'rejected', 'stalled'] as const);
    this.expected.set(status);
    return [{ key: this.key, status }];
  }

  private nextState(isFirst: boolean): Finding['state'] {
    const chance = this.random.next();
    if (isFirst) return chance < 0.6 ? 'active' : chance < 0.8 ? 'cleared' : this.unknown();
    if (this.state === 'active') return chance < 0.6 ? 'active' : chance < 0.85 ? 'cleared' : this.unknown();
    return chance < 0.55 ? 'active' : chance < 0.8 ? 'cleared' : this.unknown();
  }

  /** A place of an expiring certificate that isn't reached keeps what was known. */
  private unknown(): Finding['state'] {
    return this.isExpiry ? 'active' : 'unknown';
  }

  private get isExpiry(): boolean {
    return this.index % 2 === 0;
  }

  private finding(run: number): Finding {
    const { random, index } = this;
    const commonName = `host-${index}.example`;
    const own = certificate({ commonName, subject: `CN=${commonName}`, serialNumber: `A${index}` });
    const isRenewed = this.state === 'cleared' && (this.isExpiry || random.chance(0.5));
    const renewal = isRenewed ? { replacedBy: { ...own, serialNumber: `B${run}` } } : {};
    if (this.isExpiry) {
      if (random.chance(0.4)) this.places += 1;
      const endpoints = Array.from({ length: this.places }, (_, place) => endpoint(commonName, `192.0.2.${place + 1}`));
      return { ...expiry({ certificate: own, endpoints }), ...renewal };
    }
    const weakCiphers = random.shuffle([RC4, TRIPLE_DES, CBC]).slice(0, 1 + random.below(3));
    return {
      ...vulnerability({ certificate: own, endpoints: [endpoint(commonName, '192.0.2.1')] }),
      ...{ scannedAt: `2026-01-01T10:${String(run).padStart(2, '0')}:00.000Z`, weakCiphers },
      vulnerabilities: [check('rc4')],
      ...renewal,
    };
  }
}
