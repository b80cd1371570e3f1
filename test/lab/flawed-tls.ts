import { createPrivateKey, X509Certificate } from 'node:crypto';
import { VERSION_CODES, type TlsProtocol } from '../../lib/scan/wire/names';
import type { Flaws } from './flawed-tls/flaws';
import { Session, type Resumable } from './flawed-tls/session';
import { startScripted, type LabServer } from './tls-servers';

export type { Flaws } from './flawed-tls/flaws';

export interface FlawedTlsOptions {
  /** PEM, the server's own certificate first; its key is an RSA one. */
  cert: string;
  key: string;
  /** Default: all three. */
  versions?: readonly Exclude<TlsProtocol, 'SSLv3' | 'TLSv1.3'>[];
  /** Default: none. */
  flaws?: Flaws;
}

export interface FlawedTls extends LabServer {
  /** Handshakes that came to their end. */
  readonly handshakes: { readonly full: number; readonly resumed: number };
}

/**
 * A server of TLS 1.0 to 1.2 with RSA key exchange and AES-CBC that echoes what it is sent, for flaws that no server
 * which can run here has. It speaks the whole protocol for real, without the runtime's TLS.
 */
export async function startFlawedTls(options: FlawedTlsOptions): Promise<FlawedTls> {
  const { cert, key, versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2'], flaws = {} } = options;
  const handshakes = { full: 0, resumed: 0 };
  const context = {
    chain: derOf(cert),
    key: createPrivateKey(key),
    versions: versions.map(version => VERSION_CODES[version]),
    flaws,
    tickets: new Map<string, Resumable>(),
    onHandshake: (how: 'full' | 'resumed') => (handshakes[how] += 1),
  };
  const server = await startScripted(socket => {
    const session = new Session(socket, context);
    socket.on('data', chunk => session.push(chunk));
  });
  return Object.defineProperties(server, { handshakes: { value: handshakes } }) as FlawedTls;
}

function derOf(pem: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(block => new X509Certificate(block).raw);
}
