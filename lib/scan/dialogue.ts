import { Closings, isClosed } from './closings';
import type { Connection } from './connection';
import { keepCertificates, keepFlight } from './keep';
import type { Line } from './line';
import { hasAnswered, type Observation } from './observation';
import { alertReply, malformed, noAnswerReply, type Reply, type Unknown } from './reply';
import { allSuites } from './suites/lists';
import { findSuite, type Suite } from './suites/suites';
import type { Anchors } from './trust';
import { uint, uint16s } from './wire/bytes';
import { clientHello, type HelloOptions, type SentHello } from './wire/client-hello';
import { VERSION_CODES, type TlsProtocol } from './wire/names';
import { FlightReader, type ServerFlight } from './wire/server-flight';
import { Sslv2Reader, sslv2Hello, type Sslv2ServerHello } from './wire/sslv2';

/** Some servers fail on more suites than this (known from nmap and testssl.sh). */
const MANY = 128;
const CHUNK = 100;
const SSLV2_KINDS = Buffer.concat(allSuites('SSLv2').map(suite => uint(suite.code, 3)));
/** A server that was asked too often gets a moment before the same question comes again. */
const PAUSE_MS = 200;
/** What a server gets, beside some round trips, to answer a second hello that it may not understand. */
const SECOND_HELLO_MS = 300;

/** How one hello differs from a plain one. */
export type HelloExtras = Pick<
  HelloOptions,
  'hasExtensions' | 'sessionId' | 'sessionTicket' | 'isFallback' | 'renegotiationInfo' | 'groups'
>;

/** A connection on which the server has answered a hello with its first flight, and waits for the client. */
export interface Opened {
  connection: Connection;
  hello: SentHello;
  flight: ServerFlight;
  protocol: TlsProtocol;
  suite: Suite;
  /** From asking to the first byte of the answer, connecting left out; what a wait for nothing is measured by. */
  roundTripMs: number;
}

/** What came of a connection that was given away. */
export interface Used<T> {
  kind: 'used';
  value: T;
}

/** Asks one endpoint with own hellos, keeps what every answer shows, and asks odd answers back in another way. */
export class Dialogue {
  /** Null until a second hello on one connection was tried. */
  #takesSecondHello: boolean | null = null;
  /** Long lists are understood: an answer to one was seen. */
  #takesMany = false;
  readonly closings: Closings;
  /** Asks what had an answer once more, to see whether the server still answers at all. */
  #control: (() => Promise<Reply>) | null = null;

  constructor(
    readonly line: Line,
    readonly seen: Observation,
    readonly serverName: string | null,
    readonly anchors: Anchors,
  ) {
    this.closings = new Closings(line, () => this.#isStillAnswered());
  }

  /**
   * Offers `suites` in one version. A suite that the server takes is in `seen` when this resolves; `sequel` goes on with
   * the connection of a first answer meanwhile.
   */
  async ask(
    protocol: TlsProtocol,
    suites: readonly Suite[],
    sequel?: (opened: Opened) => Promise<void>,
  ): Promise<Reply> {
    const reply = await this.#once(protocol, suites, {}, sequel);
    if (reply.kind !== 'unknown' || reply.how === 'stopped') return reply;
    if (reply.how !== 'not-connected' && suites.length > MANY && !this.#takesMany)
      return this.#inChunks(protocol, suites);
    return this.#settleTls(protocol, suites, reply);
  }

  /**
   * As `ask`, and after a first answer once more for the rest, on the same connection: OpenSSL up to 1.0.1 takes a second
   * ClientHello in the place of a ClientKeyExchange (it was made for server-gated cryptography), but not after an
   * anonymous suite: so the rest is offered from its other end. What was chosen is in `suites`, in that order. Only an
   * answer counts: a server that declines is asked again on a connection of its own.
   */
  async askTwice(protocol: TlsProtocol, suites: readonly Suite[]): Promise<{ reply: Reply; suites: Suite[] }> {
    const seconds: (Suite | null)[] = [];
    let isOver: Promise<void> = Promise.resolve();
    const again = (opened: Opened): Promise<void> =>
      (isOver = this.#askAgain(opened, suites).then(suite => void seconds.push(suite)));
    const reply = await this.ask(protocol, suites, this.#takesSecondHello === false ? undefined : again);
    await isOver;
    const chosen = [reply.kind === 'hit' ? reply.suite : null, ...seconds];
    return { reply, suites: chosen.filter(suite => suite !== null) };
  }

  async #askAgain(
    { connection, protocol, suite, roundTripMs }: Opened,
    suites: readonly Suite[],
  ): Promise<Suite | null> {
    const rest = suites.filter(one => one !== suite).reverse();
    if (rest.length === 0) return null;
    const hello = clientHello({ protocol, suites: bytesOf(rest), serverName: this.serverName });
    hello.record.writeUInt16BE(VERSION_CODES[protocol], 1); // agreed on by now
    connection.send(hello.record);
    const flight = await readFlight(connection, SECOND_HELLO_MS + 4 * roundTripMs);
    const reply = flight === null ? null : this.#understand(protocol, rest, flight);
    if (reply?.kind === 'hit' && reply.protocol === protocol) {
      this.#takesSecondHello = true;
      return reply.suite;
    }
    this.#takesSecondHello ??= false;
    return null;
  }

  /** A hello that may have been too long, in parts. */
  async #inChunks(protocol: TlsProtocol, suites: readonly Suite[]): Promise<Reply> {
    let last: Reply | null = null;
    for (let start = 0; start < suites.length; start += CHUNK) {
      const part = suites.slice(start, start + CHUNK);
      const reply = await this.#once(protocol, part);
      last = reply.kind === 'unknown' ? await this.#settleTls(protocol, part, reply) : reply;
      if (last.kind !== 'refused') return last;
    }
    return last ?? { kind: 'refused', reason: 'nothing was offered', alert: null };
  }

  /** Offers every kind of SSLv2; one answer lists all that the server takes. */
  async askSslv2(): Promise<Reply> {
    const reply = await this.#onceSslv2();
    return reply.kind === 'unknown' ? this.#settle(reply, () => this.#onceSslv2()) : reply;
  }

  async #settleTls(protocol: TlsProtocol, suites: readonly Suite[], first: Unknown): Promise<Reply> {
    if (protocol === 'SSLv3' && hasAnswered(this.seen) && (first.how === 'odd' || first.how === 'closed')) {
      const bare = await this.#once(protocol, suites, { hasExtensions: false });
      if (bare.kind !== 'unknown') return bare;
    }
    return this.#settle(first, () => this.#once(protocol, suites));
  }

  /** Asks once more what had no clear answer; see `Closings` for what it means where that comes again. */
  async #settle(first: Unknown, askAgain: () => Promise<Reply>): Promise<Reply> {
    if (!hasAnswered(this.seen) || first.how === 'stopped') return first;
    if (first.how === 'silent') return first;
    if (first.how === 'closed' || first.how === 'odd') return this.closings.judge(first, askAgain);
    await this.line.pause(PAUSE_MS);
    return askAgain();
  }

  async #isStillAnswered(): Promise<boolean> {
    return (await this.#control?.())?.kind === 'hit';
  }

  /**
   * Offers `suites`, and gives the connection to `use` while it is open. The reply instead, when the server took none of
   * them or its flight did not come to an end. A `use` that rejects counts as an odd answer.
   */
  async converse<T>(
    protocol: TlsProtocol,
    suites: readonly Suite[],
    extras: HelloExtras,
    use: (opened: Opened) => Promise<T>,
  ): Promise<Used<T> | Reply> {
    const once = (): Promise<Used<T> | Reply> => this.#converseOnce(protocol, suites, extras, use);
    const first = await once();
    return isClosed(first) ? this.closings.judge(first, once) : first;
  }

  #converseOnce<T>(
    protocol: TlsProtocol,
    suites: readonly Suite[],
    extras: HelloExtras,
    use: (opened: Opened) => Promise<T>,
  ): Promise<Used<T> | Reply> {
    return new Promise(resolve => {
      let isTaken = false;
      const sequel = async (opened: Opened): Promise<void> => {
        isTaken = true;
        await use(opened).then(
          value => resolve({ kind: 'used', value }),
          (error: unknown) => resolve(malformed(error instanceof Error ? error.message : String(error))),
        );
      };
      void this.#once(protocol, suites, extras, sequel).then(reply => {
        if (!isTaken) resolve(reply);
      });
    });
  }

  async #once(
    protocol: TlsProtocol,
    suites: readonly Suite[],
    extras: HelloExtras = {},
    sequel?: (opened: Opened) => Promise<void>,
  ): Promise<Reply> {
    const reader = new FlightReader();
    const hello = clientHello({ protocol, suites: bytesOf(suites), serverName: this.serverName, ...extras });
    let reply: Reply | null = null;
    const noAnswer = await this.line.ask(
      hello.record,
      chunk => reader.push(chunk),
      () => {
        const { flight } = reader;
        if (flight === null) return null;
        reply = this.#understand(protocol, suites, flight);
        const { suite } = reply.kind === 'hit' ? reply : { suite: null };
        const { protocol: chosen } = flight;
        const isOpen = flight.isComplete || flight.isResumed;
        if (sequel === undefined || suite === null || chosen === undefined || !isOpen) return null;
        return connection =>
          sequel({ connection, hello, flight, protocol: chosen, suite, roundTripMs: connection.roundTripMs });
      },
    );
    if (reply !== null) return reply;
    if (noAnswer?.kind === 'stopped') return noAnswerReply(noAnswer);
    if (reader.flight !== null) return this.#understand(protocol, suites, reader.flight);
    if (reader.alert !== null) return alertReply(reader.alert.description, this.serverName);
    return noAnswerReply(noAnswer ?? { kind: 'malformed', detail: 'the answer ended early' });
  }

  async #onceSslv2(): Promise<Reply> {
    const reader = new Sslv2Reader();
    let answer: Sslv2ServerHello | 'refused' | null = null;
    const noAnswer = await this.line.ask(sslv2Hello(SSLV2_KINDS), chunk => (answer = reader.push(chunk)) !== null);
    return noAnswer === null ? this.#understandSslv2(answer) : noAnswerReply(noAnswer);
  }

  #understandSslv2(answer: Sslv2ServerHello | 'refused' | null): Reply {
    if (answer === null || answer === 'refused') {
      return { kind: 'refused', reason: 'the answer is no SSLv2 hello', alert: null };
    }
    const suites = answer.kinds.flatMap(kind => findSuite('SSLv2', kind) ?? []);
    for (const suite of suites) this.seen.accepted.SSLv2.add(suite);
    this.seen.protocols.SSLv2 = { state: 'offered', reason: `it answered with ${answer.kinds.length} kinds of cipher` };
    this.#control ??= () => this.#onceSslv2();
    this.closings.answered();
    if (answer.certificate !== null) keepCertificates(this, [answer.certificate], null, { isTodays: false });
    return { kind: 'hit', protocol: 'SSLv2', suite: null };
  }

  #understand(asked: TlsProtocol, suites: readonly Suite[], flight: ServerFlight): Reply {
    const { protocol } = flight;
    if (protocol === undefined || VERSION_CODES[protocol] > VERSION_CODES[asked]) {
      return malformed('the server chose a version that was not offered');
    }
    if (asked === 'TLSv1.3' && protocol !== asked) {
      return { kind: 'refused', reason: `the answer was ${protocol}`, alert: null };
    }
    const suite = findSuite(asked === 'TLSv1.3' ? 'TLSv1.3' : 'classic', flight.suite);
    if (suite === undefined || !suites.includes(suite)) {
      return malformed('the server chose a suite that was not offered');
    }
    if (suites.length > MANY) this.#takesMany = true;
    this.#control ??= () => this.#once(asked, suites);
    this.closings.answered();
    keepFlight(this, protocol, suite, flight);
    return { kind: 'hit', protocol, suite };
  }
}

/** The flight that comes whole on an open connection within `ms`; null where it ends, stays silent, or says no. */
async function readFlight(connection: Connection, ms: number): Promise<ServerFlight | null> {
  const reader = new FlightReader();
  const deadline = performance.now() + ms;
  for (;;) {
    const received = await connection.receive(Math.max(0, deadline - performance.now()));
    if (typeof received === 'string') return null;
    try {
      if (reader.push(received)) return reader.flight;
    } catch {
      return null;
    }
  }
}

/** The lists that are offered most are arrays made once; their bytes are made once as well. */
const bytesByList = new WeakMap<readonly Suite[], Buffer>();

function bytesOf(suites: readonly Suite[]): Buffer {
  const known = bytesByList.get(suites);
  if (known !== undefined) return known;
  const bytes = uint16s(suites.map(suite => suite.code));
  bytesByList.set(suites, bytes);
  return bytes;
}
