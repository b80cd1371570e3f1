import net, { type AddressInfo, type Socket } from 'node:net';

/** A TCP forwarder in front of a server of the lab, to take it away and give it back at the same address. */
export class Forwarder {
  private server: net.Server | null = null;
  private readonly sockets = new Set<Socket>();
  private forwards = Infinity;
  private constructor(
    private target: { host: string; port: number },
    private port = 0,
  ) {}

  /** @param url of the server, e.g. `http://127.0.0.1:8080` */
  static async start(url: string): Promise<Forwarder> {
    const { hostname, port } = new URL(url);
    const forwarder = new Forwarder({ host: hostname, port: Number(port) });
    await forwarder.up();
    return forwarder;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Forwards to another server from the next connection on. */
  to(target: { host: string; port: number }): void {
    this.target = target;
  }

  /** Forwards so many connections more; after them they are accepted, and nothing is ever said. */
  only(connections: number): void {
    this.forwards = connections;
  }

  async up(): Promise<void> {
    this.server = net.createServer(client => {
      this.forwards -= 1;
      if (this.forwards < 0) {
        this.sockets.add(client.on('error', () => {}).on('close', () => this.sockets.delete(client)));
        return;
      }
      const upstream = net.connect(this.target);
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => this.sockets.delete(socket));
        socket.pipe(other);
      }
    });
    await new Promise<void>(resolve => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Connections are refused from now on, those under way cut. */
  async down(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    this.server = null;
    const closed = new Promise(resolve => server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
