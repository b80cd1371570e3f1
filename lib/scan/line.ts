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
  /** Connections and pauses under way. */
  readonly #underWay = new Set<{ end: () => void }>();
  readonly #sequels = new Set<Promise<unknown>>();
  readonly #turns: Turns;
  #lastAlone: Promise<unknown> = Promise.resolve();
  readonly #stop = (): void => {
    for (const one of this.#underWay) one.end();
  };

  constructor(private readonly options: LineOptions) {
    this.#turns = new Turns(options.connections);
    setMaxListeners(0, options.signal); // every question that waits for its turn listens
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
   * goes on with the connection then while the caller has the answer already.
   */
  async ask(request: Buffer, listener: Listener, sequel?: () => Sequel | null): Promise<NoAnswer | null> {
    const connection = await this.#open();
    if (connection === null) return { kind: 'stopped' };
    let next: Sequel | null | undefined = null;
    try {
      const noAnswer = await connection.ask(request, listener);
      if (noAnswer === null) next = sequel?.();
      return noAnswer;
    } finally {
      if (next) this.#goOn(connection, next);
      else this.#end(connection);
    }
  }

  /** Gives `work` a socket on which TLS may start. */
  async connect<T>(work: (socket: Socket) => Promise<T>): Promise<T | NoAnswer> {
    const connection = await this.#open();
    if (connection === null) return { kind: 'stopped' };
    try {
      const socket = await connection.upgrade();
      return 'kind' in socket ? socket : await work(socket);
    } finally {
      this.#end(connection);
    }
  }

  /**
   * While `work` asks, no more than one connection is open. Whoever calls this must not hold one, and `work` must not call
   * it again.
   */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastAlone.then(async () => {
      const others = this.options.connections - 1;
      const taken = await Promise.all(Array.from({ length: others }, () => this.#turns.begin(this.signal)));
      try {
        return await work();
      } finally {
        for (const isTurn of taken) if (isTurn) this.#turns.end();
      }
    });
    this.#lastAlone = result.catch(() => {});
    return result;
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
        this.#underWay.delete(pause);
        resolve();
      };
      const pause = { end };
      const timer = setTimeout(end, ms);
      this.#underWay.add(pause);
    });
  }

  /** A connection as soon as one may be opened; null when the scan was stopped. */
  async #open(): Promise<Connection | null> {
    const { host, port, timeoutMs, talk, signal } = this.options;
    if (!(await this.#turns.begin(signal))) return null;
    if (this.isStopped) {
      this.#turns.end();
      return null;
    }
    this.opened += 1;
    const connection = new Connection({ host, port, timeoutMs, talk: talk?.() ?? null });
    this.#underWay.add(connection);
    return connection;
  }

  #goOn(connection: Connection, sequel: Sequel): void {
    const done = sequel(connection).finally(() => {
      this.#end(connection);
      this.#sequels.delete(done);
    });
    this.#sequels.add(done);
  }

  #end(connection: Connection): void {
    connection.end();
    this.#underWay.delete(connection);
    this.#turns.end();
  }
}
