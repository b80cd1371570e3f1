import net, { type Socket } from 'node:net';
import { StarttlsError, type Talk } from './starttls/starttls';
import { WireError } from './wire/bytes';

/** How one question ended when no answer came that a parser could read to its end. */
export type NoAnswer =
  /** No TCP connection; `reason` is the error's code or TIMEOUT. */
  | { kind: 'unreachable'; reason: string }
  /** Connected, and then nothing (more) for the whole time. */
  | { kind: 'timeout' }
  /** The other side ended the connection, with or without a reset. */
  | { kind: 'closed'; isReset: boolean }
  /** The protocol in the clear did not lead to TLS; `reason` is an upper-case word. */
  | { kind: 'no-starttls'; reason: string; detail: string }
  /** What came is no TLS, or does not add up. */
  | { kind: 'not-tls' | 'malformed'; detail: string }
  | { kind: 'stopped' };

/** Understands an answer as it comes in; true when it is whole. Throws WireError. */
export type Listener = (chunk: Buffer) => boolean;

export interface ConnectionOptions {
  host: string;
  port: number;
  /** Limit of connecting and, again, of each answer. */
  timeoutMs: number;
  /** What has to be said before TLS; null for direct TLS. */
  talk: Talk | null;
  /** How long it is listened to, however often something comes. Default: ten seconds and four times `timeoutMs`. */
  lifeMs?: number;
}

/** What came, or why nothing did. */
export type Received = Buffer | 'timeout' | 'closed' | 'reset' | 'stopped';

const LIFE_MS = 10_000;
/** More than this in one connection is no answer to anything that is asked here. */
const MAX_UNREAD = 256 * 1024;

/** What was just read, on whatever connection of this thread: otherwise each answer would have 64 KB of its own. */
const INCOMING = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * One TCP connection and what is said on it. First `ask` or `upgrade`, once; after an answer the connection stays open
 * for `send` and `receive`. Who opened it ends it.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #talk: Talk | null;
  #isConnected = false;
  #isUpgraded = false;
  /** Set once the connection is of no more use. */
  #over: NoAnswer | null = null;
  #askedAt = 0;
  #answeredAt = 0;
  /** Limits what is waited for. */
  #timer: NodeJS.Timeout | undefined;
  /** By performance.now(). */
  readonly #endsAt: number;
  #unread: Buffer[] = [];
  #unreadLength = 0;
  /** The way is free: connected, and the protocol in the clear has led to TLS. */
  #onReady: () => void = () => {};
  #onData: (chunk: Buffer) => void = chunk => this.#keep(chunk);
  #onOver: (why: NoAnswer) => void = () => {};

  constructor(options: ConnectionOptions) {
    const { host, port, timeoutMs, talk } = options;
    this.#timeoutMs = timeoutMs;
    this.#endsAt = performance.now() + (options.lifeMs ?? LIFE_MS + 4 * timeoutMs);
    this.#talk = talk;
    const onread = {
      buffer: INCOMING,
      callback: (length: number) => this.#read(Buffer.from(INCOMING.subarray(0, length))),
    };
    this.#socket = net.connect({ host, port, noDelay: true, onread });
    this.#socket.on('connect', () => {
      this.#isConnected = true;
      this.#timer?.refresh(); // the answer has its own time
      if (this.#talk === null) this.#onReady();
      else this.#advance(() => this.#talk?.next());
    });
    // in the same turn, since libuv does not reset a socket that is shutting down
    this.#socket.on('end', () => this.end({ kind: 'closed', isReset: false }));
    this.#socket.on('close', () => this.#finish({ kind: 'closed', isReset: false }));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      // a reset that comes with the connection itself: it was accepted, then ended
      const isReset = this.#isConnected || error.code === 'ECONNRESET';
      this.#finish(isReset ? { kind: 'closed', isReset } : { kind: 'unreachable', reason: connectReason(error) });
    });
  }

  /** Sends `request` as soon as the way is free. Null when the listener has its answer. Never rejects. */
  ask(request: Buffer, listener: Listener): Promise<NoAnswer | null> {
    return this.#wait<null>(finish => {
      this.#onData = chunk => {
        this.#answeredAt ||= performance.now();
        try {
          if (listener(chunk)) finish(null);
        } catch (thrown) {
          finish(asNoAnswer(thrown));
        }
      };
      const isDirect = this.#talk === null; // then it may be written before the connection is there
      this.#onReady = () => {
        this.#askedAt = performance.now();
        if (!isDirect) this.#socket.write(request);
      };
      if (isDirect) this.#socket.write(request);
    });
  }

  /** The scan's limit of each answer. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** From asking to the first byte of the answer, connecting left out. */
  get roundTripMs(): number {
    return Math.max(0, this.#answeredAt - this.#askedAt);
  }

  /** The socket itself, once the way is free, for node:tls; this connection only ends it then. */
  upgrade(): Promise<Socket | NoAnswer> {
    return this.#wait<Socket>(finish => {
      this.#onReady = () => {
        this.#isUpgraded = true;
        finish(this.#socket);
      };
    });
  }

  /** Sends on an open connection; on one that is over it does nothing, and `receive` tells. */
  send(bytes: Buffer): void {
    if (this.#over === null) this.#socket.write(bytes);
  }

  /**
   * The next bytes, within `ms` (default: the scan's timeout). What came before is kept for it. A connection that is older
   * than its life gives no more, so that a server which sends a little again and again is not listened to for ever.
   */
  async receive(ms = this.#timeoutMs): Promise<Received> {
    if (performance.now() > this.#endsAt) return 'timeout';
    if (this.#unreadLength > 0) return this.#takeUnread();
    const noAnswer = await this.#wait<null>(finish => {
      this.#onData = chunk => {
        this.#keep(chunk);
        finish(null);
      };
    }, ms);
    if (noAnswer === null) return this.#takeUnread();
    if (noAnswer.kind === 'closed') return noAnswer.isReset ? 'reset' : 'closed';
    return noAnswer.kind === 'timeout' || noAnswer.kind === 'stopped' ? noAnswer.kind : 'reset';
  }

  /** Ends it by a reset, so that no socket lingers in TIME_WAIT. */
  end(why: NoAnswer = { kind: 'stopped' }): void {
    this.#finish(why);
    if (this.#isUpgraded) this.#socket.destroy();
    else endQuietly(this.#socket);
  }

  /** Waits for `finish`, for the end of the connection, or for the time to run out. */
  #wait<T>(begin: (finish: (answer: T | NoAnswer) => void) => void, ms = this.#timeoutMs): Promise<T | NoAnswer> {
    if (this.#over !== null) return Promise.resolve(this.#over);
    return new Promise(resolve => {
      const finish = (answer: T | NoAnswer): void => {
        clearTimeout(this.#timer);
        this.#onData = chunk => this.#keep(chunk);
        this.#onOver = () => {};
        resolve(answer);
      };
      this.#timer = setTimeout(() => {
        if (!this.#isConnected) finish({ kind: 'unreachable', reason: 'TIMEOUT' });
        else finish(this.#talk === null ? { kind: 'timeout' } : beforeTls({ kind: 'timeout' }));
      }, ms);
      this.#onOver = finish;
      begin(finish);
    });
  }

  #read(chunk: Buffer): boolean {
    if (this.#talk === null) this.#onData(chunk);
    else this.#advance(() => this.#talk?.next(chunk));
    return true; // go on reading
  }

  /** One step of the protocol in the clear. */
  #advance(step: () => IteratorResult<Buffer | null, Buffer | null> | undefined): void {
    try {
      const result = step();
      if (result?.done === true) {
        if (result.value !== null) this.#socket.write(result.value);
        this.#talk = null;
        this.#onReady();
      } else if (result?.value) {
        this.#socket.write(result.value);
      }
    } catch (thrown) {
      const reason = thrown instanceof StarttlsError ? thrown.reason : 'MALFORMED';
      this.#finish({ kind: 'no-starttls', reason, detail: messageOf(thrown) });
    }
  }

  #keep(chunk: Buffer): void {
    this.#unread.push(chunk);
    this.#unreadLength += chunk.length;
    if (this.#unreadLength > MAX_UNREAD) this.end({ kind: 'malformed', detail: `more than ${MAX_UNREAD} bytes came` });
  }

  #takeUnread(): Buffer {
    const bytes = Buffer.concat(this.#unread);
    this.#unread = [];
    this.#unreadLength = 0;
    return bytes;
  }

  #finish(why: NoAnswer): void {
    if (this.#over !== null) return;
    this.#over = this.#talk === null ? why : beforeTls(why);
    this.#onOver(this.#over);
  }
}

/** The end of a connection on which TLS could not even begin. */
function beforeTls(why: NoAnswer): NoAnswer {
  if (why.kind === 'timeout') {
    return { kind: 'no-starttls', reason: 'TIMEOUT', detail: 'it did not answer in time before TLS' };
  }
  return why.kind === 'closed' ? { kind: 'no-starttls', reason: 'CLOSED', detail: 'it closed before TLS' } : why;
}

/** Node's word for a connection that the system gave up is ETIMEDOUT; ours is TIMEOUT. */
function connectReason(error: NodeJS.ErrnoException): string {
  return error.code === 'ETIMEDOUT' || error.code === undefined ? 'TIMEOUT' : error.code;
}

/** Whatever a parser throws at what a server sent ends that question and nothing else. */
function asNoAnswer(thrown: unknown): NoAnswer {
  const isForeign = thrown instanceof WireError && thrown.kind === 'NOT_TLS';
  return { kind: isForeign ? 'not-tls' : 'malformed', detail: messageOf(thrown) };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function endQuietly(socket: Socket): void {
  if (socket.destroyed) return;
  socket.on('error', () => {}); // a late error of a socket that nobody needs any more
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
