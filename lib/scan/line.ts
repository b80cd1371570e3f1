import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { Connection, type Listener, type NoAnswer } from './connection';
import type { Talk } from './starttls/starttls';
import { Turns } from './turns';

export interface LineOptions {
  host: string;
  port: number;
  /** Limit of connecting and, again, of each answer. */
  timeoutMs: number;
  /** Connections open at once. */
  connections: number;
  signal: AbortSignal;
  /** What each connection says before TLS; default: nothing. */
  talk?: () => Talk;
}

/** Goes on with a connection after its first answer; the connection is ended when this resolves. Must not reject. */
export type Sequel = (connection: Connection) => Promise<void>;

/**
 * The way to one endpoint: opens connections, no more at once than allowed, counts them and ends them all on abort.
 * One question a connection: what is sent is sent at once, and the connection is reset when the answer is known.
 */
export class Line {
  /** TCP connections opened (tried) so far. */
  opened = 0;
  readonly #open = new Set<() => void>();
  readonly #sequels = new Set<Promise<unknown>>();
  readonly #turns: Turns;
  readonly #stop = (): void => {
    for (const end of this.#open) end();
  };

  constructor(private readonly options: LineOptions) {
    this.#turns = new Turns(options.connections);
    setMaxListeners(0, options.signal); // one signal ends all endpoints of a run
    options.signal.addEventListener('abort', this.#stop);
  }

  get timeoutMs(): number {
    return this.options.timeoutMs;
  }

  get connections(): number {
    return this.options.connections;
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  get isStopped(): boolean {
    return this.options.signal.aborted;
  }

  /** Ends what is open; the line is not used after. */
  close(): void {
    this.options.signal.removeEventListener('abort', this.#stop);
    this.#stop();
  }

  /**
   * Sends `request` on a connection of its own. Null when the listener has its answer; `sequel`, when there is one,
   * goes on with the connection then while the caller has the answer already. Never rejects.
   */
  ask(request: Buffer, listener: Listener, sequel?: () => Sequel | null): Promise<NoAnswer | null> {
    return new Promise(resolve => {
      const done = this.#use(async connection => {
        const noAnswer = await connection.ask(request, listener);
        const next = noAnswer === null ? sequel?.() : null;
        resolve(noAnswer);
        await next?.(connection);
      }).then(stopped => {
        if (stopped !== undefined) resolve(stopped);
        this.#sequels.delete(done);
      });
      this.#sequels.add(done);
    });
  }

  /** Gives `work` a socket on which TLS may start. */
  async connect<T>(work: (socket: Socket) => Promise<T>): Promise<T | NoAnswer> {
    return this.#use(async connection => {
      const socket = await connection.upgrade();
      return 'kind' in socket ? socket : work(socket);
    });
  }

  /** Resolves when all sequels have ended. */
  async idle(): Promise<void> {
    while (this.#sequels.size > 0) await Promise.all(this.#sequels);
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

  /** Gives a connection to `work` when it may be opened, and ends it after. */
  #use<T>(work: (connection: Connection) => Promise<T>): Promise<T | { kind: 'stopped' }> {
    return this.#turns.take(this.options.signal, async () => {
      if (this.isStopped) return { kind: 'stopped' };
      const { host, port, timeoutMs, talk } = this.options;
      this.opened += 1;
      const connection = new Connection({ host, port, timeoutMs, talk: talk?.() ?? null });
      const end = (): void => connection.end();
      this.#open.add(end);
      try {
        return await work(connection);
      } finally {
        this.#open.delete(end);
        connection.end();
      }
    });
  }
}
