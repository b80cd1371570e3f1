import { join } from 'node:path';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';
import { ensureCertificates, readState, writeState, type DemoState } from './demo-state';
import { HEALTHY_TLS, WEAK_TLS } from './tls-options';

/** One running demo server. */
export interface DemoServer {
  /** The name it has a certificate for. */
  name: string;
  /** Loopback address that it alone listens on, where the system has more than one. */
  address: string;
  port: number;
  /** `name@address:port`, as a scan takes it: no name service knows these names. */
  target: string;
  close(): Promise<void>;
}

export interface Demo {
  servers: DemoServer[];
  /** PEM file of the authority that issued their certificates. */
  caFile: string;
}

const SERVERS = [
  { name: 'healthy.certdesk.example', address: '127.0.0.11', options: HEALTHY_TLS },
  { name: 'expiring.certdesk.example', address: '127.0.0.12', options: HEALTHY_TLS },
  { name: 'weak.certdesk.example', address: '127.0.0.13', options: WEAK_TLS },
] as const;

/** macOS configures no more of 127.0.0.0/8 than this. */
const FALLBACK_ADDRESS = '127.0.0.1';

/**
 * Starts the three demo servers: one healthy, one whose 90-day certificate has five days left, one with weak protocols
 * and suites. Certificates and ports are kept in `folder`, so that the next start finds the same places; a certificate
 * that is used up is made anew, and a port that is taken meanwhile is replaced by a free one.
 */
export async function startDemoServers(folder: string, now: Date = new Date()): Promise<Demo> {
  const state = await ensureCertificates(await readState(folder), now);
  const servers: DemoServer[] = [];
  try {
    for (const { name, address, options } of SERVERS) {
      const server = await start({ name, address, options }, state);
      state.places[name] = { address: server.address, port: server.port };
      servers.push(server);
    }
    const caFile = join(folder, 'ca.pem');
    await writeState(folder, caFile, state);
    return { servers, caFile };
  } catch (error) {
    await Promise.all(servers.map(server => server.close()));
    throw error;
  }
}

async function start(
  { name, address, options }: { name: string; address: string; options: Readonly<tls.TlsOptions> },
  state: DemoState,
): Promise<DemoServer> {
  const certificate = state.certificates[name];
  const server = tls.createServer({ ...options, cert: certificate?.cert, key: certificate?.key });
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.on('secureConnection', socket => socket.on('error', () => {}).resume());
  server.on('tlsClientError', () => {}); // a scan breaks off handshakes
  const place = await listen(server, [
    ...(state.places[name] === undefined ? [] : [state.places[name]]),
    { address, port: 0 },
    { address: FALLBACK_ADDRESS, port: 0 },
  ]);
  return {
    name,
    ...place,
    target: `${name}@${place.address}:${place.port}`,
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined;
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** Listens at the first place that is to be had. */
async function listen(
  server: tls.Server,
  places: { address: string; port: number }[],
): Promise<{ address: string; port: number }> {
  let failure: unknown;
  for (const { address, port } of places) {
    try {
      server.listen({ host: address, port });
      await once(server, 'listening');
      return { address, port: (server.address() as AddressInfo).port };
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
