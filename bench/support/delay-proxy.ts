import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { answerJob, end, start } from './processes';

/** A way to a server that takes time, and counts who takes it. */
export interface DelayProxy {
  readonly host: string;
  readonly port: number;
  /** TCP connections accepted so far. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export interface DelayJob {
  host: string;
  port: number;
  /** In each direction; 0 only counts. */
  delayMs: number;
}

/** Starts one in a process of its own, so that it takes no time from what is measured. */
export async function startDelayProxy(job: DelayJob): Promise<DelayProxy> {
  const child = start(process.execPath, [__filename], {
    core: 'server',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.send(job);
  const [port] = (await once(child, 'message')) as [{ port: number }];
  return {
    host: '127.0.0.1',
    port: port.port,
    connections: async () => {
      child.send('connections');
      const [answer] = (await once(child, 'message')) as [{ connections: number }];
      return answer.connections;
    },
    close: () => end(child),
  };
}

/** What travels in one direction: each thing comes out when its time has come, in the order it went in. */
class Lane {
  readonly #queue: { due: number; action: () => void }[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** @param earliest milliseconds of performance.now() before which nothing arrives */
  constructor(
    private readonly delayMs: number,
    private readonly earliest: number,
  ) {}

  add(action: () => void): void {
    if (this.delayMs === 0) return action();
    this.#queue.push({ due: Math.max(this.earliest, performance.now() + this.delayMs), action });
    this.#arm();
  }

  #arm(): void {
    const [next] = this.#queue;
    if (this.#timer !== null || next === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        for (let [first] = this.#queue; first !== undefined && first.due <= performance.now(); [first] = this.#queue) {
          this.#queue.shift();
          first.action();
        }
        this.#arm();
      },
      Math.max(1, Math.ceil(next.due - performance.now())),
    );
  }
}

/**
 * One connection. The client's own handshake with this proxy takes no time, so what a real way would have taken for it
 * is added to what it sends first: SYN, SYN-ACK and ACK are three times the delay, after which the server sees the
 * connection and the first bytes at once. A first answer comes after two round trips.
 */
function join(client: Socket, { host, port, delayMs }: DelayJob): void {
  const established = performance.now() + 3 * delayMs;
  const there = new Lane(delayMs, established);
  const back = new Lane(delayMs, established);
  const server = net.connect({ host, port, noDelay: true });
  client.setNoDelay(true);
  for (const [from, to, lane] of [
    [client, server, there],
    [server, client, back],
  ] as const) {
    from.on('data', chunk => lane.add(() => void (to.destroyed || to.write(chunk))));
    from.on('end', () => lane.add(() => void to.end()));
    from.on('error', () => lane.add(() => void to.resetAndDestroy()));
    from.on('close', () => lane.add(() => void to.destroy()));
  }
}

if (require.main === module) {
  answerJob<DelayJob, { port: number }>(async job => {
    let connections = 0;
    const server = net.createServer({ allowHalfOpen: true }, client => {
      connections += 1;
      join(client, job);
    });
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 });
    await once(server, 'listening');
    process.on('message', message => {
      if (message === 'connections') process.send?.({ connections });
    });
    return { port: (server.address() as AddressInfo).port };
  });
}
