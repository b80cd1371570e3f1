import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { HEALTHY_TLS, WEAK_TLS } from '../../examples/start/tls-options';

/** A server of the lab; every one listens on 127.0.0.0/8 or ::1 and on a port that was free. */
export interface LabServer {
  readonly host: string;
  readonly port: number;
  /** TCP connections accepted so far. */
  readonly connections: number;
  /** Those of them that are not closed yet. */
  readonly openConnections: number;
  /** Ends it and every connection to it. */
  close(): Promise<void>;
}

export interface LabTlsServer extends LabServer {
  /** What later handshakes get. */
  setCertificate(cert: string, key: string): void;
}

export interface LabTlsOptions extends tls.TlsOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: a free one. Given to come back where a server was before. */
  port?: number;
  cert: string;
  key: string;
}

/** A real TLS server that says nothing after the handshake; options of node:tls as they are. */
export async function startTls({ host = '127.0.0.1', port = 0, ...options }: LabTlsOptions): Promise<LabTlsServer> {
  const server = tls.createServer(options);
  server.on('tlsClientError', () => {}); // probes break off handshakes
  server.on('secureConnection', socket => socket.on('error', () => {}).resume());
  const lab = await listen(server, host, port);
  return Object.defineProperties(lab, {
    setCertificate: {
      value: (cert: string, key: string) => server.setSecureContext({ ...options, cert, key }),
    },
  }) as LabTlsServer;
}

/** TLS 1.2 with ECDHE and AEAD suites, and TLS 1.3. */
export function startHealthy(options: LabTlsOptions): Promise<LabTlsServer> {
  return startTls({ ...HEALTHY_TLS, ...options });
}

/** TLS 1.0 to 1.2 with weak suites, one without encryption among them, and a healthy one. */
export function startWeak(options: LabTlsOptions): Promise<LabTlsServer> {
  return startTls({ ...WEAK_TLS, ...options });
}

/** What a port can answer that is not TLS. */
export type OddBehaviour = 'silent' | 'garbage' | 'http' | 'closing' | 'reset';

const ODD: Record<OddBehaviour, (socket: Socket) => void> = {
  silent: socket => void socket.resume(),
  garbage: socket => void socket.resume().write(Buffer.from('Well, this is not what you came for.\r\n'.repeat(40))),
  http: socket => {
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'));
  },
  closing: socket => void socket.resume().end(),
  reset: socket => void socket.resetAndDestroy(),
};

/** A TCP server that accepts and then does anything but TLS. */
export async function startOdd(behaviour: OddBehaviour, host = '127.0.0.1'): Promise<LabServer> {
  return startScripted(ODD[behaviour], host);
}

/** A TCP server that does what `onConnection` does. */
export async function startScripted(onConnection: (socket: Socket) => void, host = '127.0.0.1'): Promise<LabServer> {
  return listen(net.createServer(onConnection), host, 0);
}

/** A port of `host` where nobody listens (just closed, so that it was free a moment ago). */
export async function closedPort(host = '127.0.0.1'): Promise<number> {
  const server = await startScripted(() => {}, host);
  await server.close();
  return server.port;
}

async function listen(server: net.Server, host: string, wantedPort: number): Promise<LabServer> {
  const open = new Set<Socket>();
  let connections = 0;
  // On a TLS server this is the raw socket, before any handshake.
  server.prependListener('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.listen({ host, port: wantedPort });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host,
    port,
    get connections() {
      return connections;
    },
    get openConnections() {
      return open.size;
    },
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
