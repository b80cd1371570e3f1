import type { Node, NodeAPI } from 'node-red';
import type { ConnectionSettings } from '../../lib/helpdesks/helpdesk';
import { text, type Config } from './config';

/** Node-RED's own tls-config node (core, 05-tls.js): it fills in what its dialog was given. */
interface TlsConfigNode extends Node {
  addTLSOptions(options: Record<string, unknown>): Record<string, unknown>;
}

/** Node-RED's own `http proxy` config node (core, 06-httpproxy.js). */
interface ProxyNode extends Node<{ username?: string; password?: string }> {
  url?: string;
  noproxy?: string[];
}

/** Options of the tls-config node named by property `tls`; empty without one. */
export function tlsOptions(RED: NodeAPI, config: Config): NonNullable<ConnectionSettings['tls']> {
  const node = RED.nodes.getNode(text(config, 'tls')) as Partial<TlsConfigNode> | null;
  if (typeof node?.addTLSOptions !== 'function') return {};
  const { ca, cert, key, passphrase, rejectUnauthorized, servername } = node.addTLSOptions({});
  // a file's content as a Buffer, a typed-in one as text
  const asText = (value: unknown): string | undefined =>
    Buffer.isBuffer(value) || (typeof value === 'string' && value !== '') ? value.toString() : undefined;
  return Object.fromEntries(
    Object.entries({
      ca: asText(ca),
      cert: asText(cert),
      key: asText(key),
      passphrase: asText(passphrase),
      servername: asText(servername),
      rejectUnauthorized: typeof rejectUnauthorized === 'boolean' ? rejectUnauthorized : undefined,
    }).filter(([, value]) => value !== undefined),
  );
}

/** The proxy of property `proxy`; undefined without one. */
export function proxySettings(RED: NodeAPI, config: Config): ConnectionSettings['proxy'] {
  const node = RED.nodes.getNode(text(config, 'proxy')) as ProxyNode | null;
  if (!node?.url) return undefined;
  const { username, password } = node.credentials ?? {};
  return {
    url: node.url,
    noproxy: node.noproxy ?? [],
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}
