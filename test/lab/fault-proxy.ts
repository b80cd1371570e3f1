import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** What may happen to a request. `before`: nothing is forwarded; `after`: it was done, and its answer is lost. */
export const FAULTS = [
  'drop-before',
  'drop-after',
  'reset-before',
  'reset-after',
  /** The client sees a reset at once; the request is forwarded later, up to `maxDelayMs`. */
  'reset-late',
  /** Held before it is forwarded, and again before its answer goes back; `maxDelayMs` in all. */
  'delay',
  'rate-limited',
  'error-before',
  'error-after',
  'half-body',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Chance of each fault for one request; what is left passes. */
export type Rates = Readonly<Partial<Record<Fault, number>>>;

/** One request, with times in milliseconds since the proxy started; null for what has not happened. */
export interface Passage {
  number: number;
  method: string;
  path: string;
  body: string;
  fault: Fault | null;
  receivedAt: number;
  /** Sent on, whole. */
  forwardedAt: number | null;
  /** The server's whole answer was here. */
  answeredAt: number | null;
  status: number | null;
  /** Something was given back to the client; an answer, or the end of its connection. */
  repliedAt: number | null;
  /** The client's connection ended before it had a whole answer. */
  lostAt: number | null;
}

/** Where a request can be caught: not yet forwarded, or answered by the server and nothing said to the client. */
export type Stage = 'received' | 'answered';

interface Ambush {
  stage: Stage;
  isWanted(passage: Passage): boolean;
  spring(passage: Passage): Promise<void>;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface FaultProxyOptions {
  /** Base URL of the server behind it, without a path. */
  target: string;
  /** From 0, less than 1: seeded, for the same faults again. */
  random: () => number;
  rates: Rates;
  maxDelayMs: number;
  /** In whole seconds, for 429. */
  retryAfterS: number;
  /** Replaces headers of what is forwarded, e.g. for another way to log in. */
  headers?: () => Record<string, string | undefined>;
}

/** A reverse proxy on 127.0.0.1 that loses, delays and damages what passes through it. */
export class FaultProxy {
  readonly log: Passage[] = [];
  private readonly server: Server;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly startedAt = performance.now();
  private readonly underWay = new Set<Promise<void>>();
  private readonly ambushes = new Set<Ambush>();
  private isClean = false;

  private constructor(private readonly options: FaultProxyOptions) {
    this.server = createServer((request, response) => {
      const passing = this.pass(request, response).catch(() => void request.socket.destroy());
      this.underWay.add(passing);
      void passing.finally(() => this.underWay.delete(passing));
    });
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await new Promise<void>(resolve => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** On the clock of the log. */
  now(): number {
    return performance.now() - this.startedAt;
  }

  /** No more faults, or again some. */
  setClean(isClean: boolean): void {
    this.isClean = isClean;
  }

  /**
   * Catches the next request that is wanted and holds it until `spring` is over. Returns how to give up waiting for one.
   */
  ambush(stage: Stage, isWanted: Ambush['isWanted'], spring: Ambush['spring']): () => void {
    const ambush: Ambush = { stage, isWanted, spring };
    this.ambushes.add(ambush);
    return () => this.ambushes.delete(ambush);
  }

  /** Resolves when nothing is on its way any more, held and late requests included. */
  async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** How many requests met each fault. */
  counts(): Record<Fault | 'pass', number> {
    const counts = Object.fromEntries(['pass', ...FAULTS].map(name => [name, 0])) as Record<Fault | 'pass', number>;
    for (const { fault } of this.log) counts[fault ?? 'pass'] += 1;
    return counts;
  }

  async stop(): Promise<void> {
    await this.idle();
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
    this.agent.destroy();
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = request;
    const body = await buffer(request);
    const fault = this.isClean ? null : this.draw();
    const passage: Passage = {
      ...{ number: this.log.length + 1, method, path: url, body: body.toString(), fault, receivedAt: this.now() },
      ...{ forwardedAt: null, answeredAt: null, status: null, repliedAt: null, lostAt: null },
    };
    this.log.push(passage);
    response.on('close', () => {
      if (!response.writableFinished) passage.lostAt = this.now();
    });
    await this.meet('received', passage);
    const forward = (): Promise<Answer> => this.forward(passage, request, body);
    const cut = (isReset: boolean): void => {
      passage.repliedAt = this.now();
      if (isReset) request.socket.resetAndDestroy();
      else request.socket.destroy();
    };
    const reply = (answer: Answer): void => {
      passage.repliedAt = this.now();
      response.writeHead(answer.status, endToEnd(answer.headers)).end(answer.body);
    };
    const [early, late] = fault === 'delay' || fault === 'reset-late' ? this.pauses() : [0, 0];
    switch (fault) {
      case 'drop-before':
      case 'reset-before':
        return cut(fault === 'reset-before');
      case 'rate-limited':
        return reply(own(429, 'Too Many Requests', { 'retry-after': String(this.options.retryAfterS) }));
      case 'error-before':
        return reply(own(500, 'Internal Server Error'));
      case 'reset-late':
        cut(true);
        await delay(early + late);
        await forward();
        return;
      case 'delay': {
        await delay(early);
        const answer = await forward();
        await delay(late);
        return reply(answer);
      }
      case 'drop-after':
      case 'reset-after':
        await forward();
        return cut(fault === 'reset-after');
      case 'error-after':
        await forward();
        return reply(own(500, 'Internal Server Error'));
      case 'half-body': {
        const answer = await forward();
        passage.repliedAt = this.now();
        const headers = { ...endToEnd(answer.headers), 'content-length': answer.body.length };
        response.writeHead(answer.status, headers);
        response.write(answer.body.subarray(0, answer.body.length >> 1), () => request.socket.destroy());
        return;
      }
      case null:
        return reply(await forward());
    }
  }

  private draw(): Fault | null {
    const { random, rates } = this.options;
    let left = random();
    for (const fault of FAULTS) {
      left -= rates[fault] ?? 0;
      if (left < 0) return fault;
    }
    return null;
  }

  /** Mostly short, at times as long as allowed. */
  private pauses(): [number, number] {
    const { random, maxDelayMs } = this.options;
    const whole = maxDelayMs * random() ** 2;
    const early = whole * random();
    return [early, whole - early];
  }

  private async forward(passage: Passage, request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { target, headers } = this.options;
    const { hostname, port, host } = new URL(target);
    const sent = { ...endToEnd(request.headers), host, 'content-length': String(body.length), ...headers?.() };
    const answer = await new Promise<Answer>((resolve, reject) => {
      const forwarded = httpRequest(
        {
          ...{ hostname, port, agent: this.agent, method: passage.method, path: passage.path },
          headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
        },
        response => {
          const { statusCode: status = 0, headers: answered } = response;
          buffer(response).then(whole => resolve({ status, headers: answered, body: whole }), reject);
        },
      );
      forwarded.on('error', reject).on('finish', () => (passage.forwardedAt = this.now()));
      forwarded.end(body);
    });
    passage.answeredAt = this.now();
    passage.status = answer.status;
    await this.meet('answered', passage);
    return answer;
  }

  private async meet(stage: Stage, passage: Passage): Promise<void> {
    for (const ambush of this.ambushes) {
      if (ambush.stage !== stage || !ambush.isWanted(passage)) continue;
      this.ambushes.delete(ambush);
      await ambush.spring(passage);
      return;
    }
  }
}

/** What belongs to one connection stays on it (RFC 9110 section 7.6.1). */
function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[] | undefined> {
  const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...rest } = headers;
  return rest;
}

function own(status: number, message: string, headers: IncomingHttpHeaders = {}): Answer {
  const body = Buffer.from(JSON.stringify({ message }));
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body };
}
