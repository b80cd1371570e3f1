import { setMaxListeners } from 'node:events';
import net, { type Socket } from 'node:net';
import { WireError } from './wire/bytes';

/** How one question ended when no answer came that a parser could read to its end. */
export type NoAnswer =
  /** No TCP connection; `reason` is the error's code or TIMEOUT. */
  | { kind: 'unreachable'; reason: string }
  /** Connected, and then nothing (more) for the whole time. */
  | { kind: 'timeout' }
  /** The other side ended the connection, with or without a reset. */
  | { kind: 'closed'; isReset: boolean }
  /** What came is no TLS, or does not add up. */
  | { kind: 'not-tls' | 'malformed'; detail: string }
  | { kind: 'stopped' };

/** Understands an answer as it comes in; true when it is whole. Throws WireError. */
export type Listener = (chunk: Buffer) => boolean;

export interface LineOptions {
  host: string;
  port: number;
  /** Limit of connecting and, again, of the answer. */
  timeoutMs: number;
  /** Connections open at once. */
  connections: number;
  signal: AbortSignal;
}

/**
 * The way to one endpoint: opens connections, no more at once than allowed, counts them and ends them all on abort.
 * One question a connection: what is sent is sent at once, and the connection is reset when the answer is known, so
 * that no socket lingers in TIME_WAIT.
 */
export class Line {
  /** TCP connections opened (tried) so far. */
  opened = 0;
  readonly #open = new Set<() => void>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  readonly #stop = (): void => {
    for (const end of this.#open) end();
    for (const go of this.#waiting.splice(0)) go();
  };

  constructor(private readonly options: LineOptions) {
    setMaxListeners(0, options.signal); // one signal ends all endpoints of a run
    options.signal.addEventListener('abort', this.#stop);
  }

  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  get connections(): number {
    return this.options.connections;
  }

  get isStopped(): boolean {
    return this.options.signal.aborted;
  }

  /** Ends what is open; the line is not used after. */
  close(): void {
    this.options.signal.removeEventListener('abort', this.#stop);
    this.#stop();
  }

  /** Sends `request` on a connection of its own. Null when the listener has its answer. Never rejects. */
  async ask(request: Buffer, listener: Listener): Promise<NoAnswer | null> {
    return this.use(end => this.#exchange(request, listener, end));
  }

  /** Waits, at most until the scan is stopped. */
  async pause(ms: number): Promise<void> {
    if (this.isStopped) return;
    await new Promise<void>(resolve => {
      const end = (): void => {
        clearTimeout(timer);
        this.#open.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#open.add(end);
    });
  }

  /**
   * Gives a free connection slot to `work`, which opens one connection and calls `register` with the way to end it
   * on abort.
   */
  async use<T>(work: (register: (end: () => void) => () => void) => Promise<T>): Promise<T | { kind: 'stopped' }> {
    if (this.#busy >= this.options.connections) await new Promise<void>(resolve => this.#waiting.push(resolve));
    if (this.isStopped) return { kind: 'stopped' };
    this.#busy += 1;
    this.opened += 1;
    try {
      return await work(end => {
        this.#open.add(end);
        return () => this.#open.delete(end);
      });
    } finally {
      this.#busy -= 1;
      this.#waiting.shift()?.();
    }
  }

  #exchange(request: Buffer, listener: Listener, register: (end: () => void) => () => void): Promise<NoAnswer | null> {
    const { host, port, timeoutMs } = this.options;
    return new Promise(resolve => {
      const socket = net.connect({ host, port, noDelay: true });
      let isConnected = false;
      let isFinished = false;
      const finish = (answer: NoAnswer | null): void => {
        if (isFinished) return;
        isFinished = true;
        clearTimeout(timer);
        unregister();
        socket.removeAllListeners('data');
        endQuietly(socket);
        resolve(answer);
      };
      const unregister = register(() => finish({ kind: 'stopped' }));
      const timer = setTimeout(() => {
        finish(isConnected ? { kind: 'timeout' } : { kind: 'unreachable', reason: 'TIMEOUT' });
      }, timeoutMs);
      socket.on('connect', () => {
        isConnected = true;
        timer.refresh(); // the answer has the whole time for itself
      });
      socket.on('data', chunk => {
        try {
          if (listener(chunk)) finish(null);
        } catch (thrown) {
          finish(asNoAnswer(thrown));
        }
      });
      socket.on('end', () => finish({ kind: 'closed', isReset: false }));
      socket.on('close', () => finish({ kind: 'closed', isReset: false }));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        // a reset that comes with the connection itself: it was accepted, then ended
        if (isConnected || error.code === 'ECONNRESET') finish({ kind: 'closed', isReset: true });
        else finish({ kind: 'unreachable', reason: connectReason(error) });
      });
      socket.write(request);
    });
  }
}

/** Node's word for a connection that the system gave up is ETIMEDOUT; ours is TIMEOUT. */
function connectReason(error: NodeJS.ErrnoException): string {
  return error.code === 'ETIMEDOUT' || error.code === undefined ? 'TIMEOUT' : error.code;
}

/** Whatever a parser throws at what a server sent ends that question and nothing else. */
function asNoAnswer(thrown: unknown): NoAnswer {
  const isForeign = thrown instanceof WireError && thrown.kind === 'NOT_TLS';
  return {
    kind: isForeign ? 'not-tls' : 'malformed',
    detail: thrown instanceof Error ? thrown.message : String(thrown),
  };
}

function endQuietly(socket: Socket): void {
  socket.on('error', () => {}); // a late error of a socket that nobody needs any more
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
