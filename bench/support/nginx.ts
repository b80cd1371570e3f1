import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { issueMany } from './certificates';
import { end, findProgram, start, temporaryFolder } from './processes';
import { addressOf, type EndpointSpec } from './targets';

/** A running nginx with many certificates, one address of 127.0.0.0/8 for each. */
export interface Nginx {
  port: number;
  /** PEM text to trust. */
  ca: string;
  certificates: number;
  /** So many different endpoints, addresses in turn. */
  endpoints(count: number): EndpointSpec;
  close(): Promise<void>;
}

export const NET = '127.1';
/** TLS 1.2 with ECDHE and AEAD, and TLS 1.3: nothing to complain of. */
const CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20';

export function hasNginx(): boolean {
  return findProgram('nginx') !== null;
}

export async function startNginx(certificates: number): Promise<Nginx> {
  const folder = temporaryFolder();
  const { ca, servers } = issueMany(certificates, index => `*.c${index}.bench.example`);
  const port = await freePort();
  const blocks = servers.map(({ cert, key }, index) => {
    const file = join(folder, `${index}.pem`);
    writeFileSync(file, cert + key);
    return (
      `server { listen ${addressOf(NET, index)}:${port} ssl backlog=4096; ` +
      `ssl_certificate ${file}; ssl_certificate_key ${file}; return 204; }`
    );
  });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, blocks));
  const child = start(findProgram('nginx') ?? 'nginx', ['-p', folder, '-c', file], { core: 'server' });
  let errors = '';
  child.stderr?.on('data', chunk => (errors += String(chunk)));
  await waitUntilOpen(
    addressOf(NET, certificates - 1),
    port,
    () => child.exitCode !== null,
    () => errors,
  );
  return {
    port,
    ca,
    certificates,
    endpoints: count => ({ count, net: NET, addresses: certificates, port }),
    close: () => end(child),
  };
}

function configuration(folder: string, blocks: string[]): string {
  return `daemon off;
master_process off;
pid ${join(folder, 'nginx.pid')};
error_log stderr crit;
events { worker_connections 16000; multi_accept on; }
http {
  access_log off;
  server_tokens off;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_ciphers ${CIPHERS};
  ssl_prefer_server_ciphers on;
  ${blocks.join('\n  ')}
}
`;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, addressOf(NET, 0));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function waitUntilOpen(host: string, port: number, isOver: () => boolean, why: () => string): Promise<void> {
  for (const limit = Date.now() + 20_000; Date.now() < limit && !isOver();) {
    const isOpen = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, host);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`nginx did not start: ${why()}`);
}

/** For the head of the tables. */
export function nginxVersion(): string {
  const program = findProgram('nginx');
  if (program === null) return 'not installed';
  return execFileSync('/bin/sh', ['-c', '"$0" -v 2>&1', program], { encoding: 'utf8' }).trim().split('/').at(-1) ?? '';
}
