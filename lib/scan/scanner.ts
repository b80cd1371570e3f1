import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { Endpoint } from '../model/endpoint';
import type { EndpointReport } from '../model/report';
import { scanBase } from './base-scan';
import { Dialogue } from './dialogue';
import { Line } from './line';
import { newObservation, type Observation } from './observation';
import { makeReport, stagesLeftAt, stagesOf } from './report';
import type { ScanSettings } from './settings';
import { anchorsWith } from './trust';

export interface ScanEndpointOptions {
  runId: string;
  /** How many connections may be open at once to this endpoint. */
  connections: number;
  /** Destroys all sockets at once; the report says STOPPED then. */
  signal: AbortSignal;
}

/**
 * Looks at one endpoint and reports. Whatever the other side does, the result is a report: this never rejects. It takes
 * a few times `settings.timeoutMs` at most where nobody answers.
 */
export async function scanEndpoint(
  endpoint: Endpoint,
  settings: ScanSettings,
  options: ScanEndpointOptions,
): Promise<EndpointReport> {
  const started = performance.now();
  const seen = newObservation(endpoint, new Date());
  const frame = (): { runId: string; settings: ScanSettings; durationMs: number } => ({
    runId: options.runId,
    settings,
    durationMs: Math.round(performance.now() - started),
  });
  const left = (what: Observation, stages: EndpointReport['stages'], connections: number): EndpointReport =>
    makeReport(what, { ...frame(), connections, stages });
  if (endpoint.ip === '') return left(seen, stagesLeftAt(endpoint, 'dns', 'ENOTFOUND'), 0);
  if (!(endpoint.port > 0 && endpoint.port < 65_536)) return left(seen, stagesLeftAt(endpoint, 'tcp', 'BAD_PORT'), 0);
  if (endpoint.starttls !== null) return left(seen, stagesLeftAt(endpoint, 'starttls', 'NOT_SUPPORTED_YET'), 0);
  const line = new Line({
    host: endpoint.ip,
    port: endpoint.port,
    timeoutMs: settings.timeoutMs,
    connections: Math.max(1, options.connections),
    signal: options.signal,
  });
  try {
    const dialogue = new Dialogue(line, seen, serverNameOf(endpoint), anchorsWith(settings.ca));
    const first = await scanBase(dialogue, settings.profile);
    if (line.isStopped) {
      // what was seen of it is half a picture, and half a picture must not clear anything
      const nothing = newObservation(endpoint, seen.at);
      return left(nothing, stagesLeftAt(endpoint, 'handshake', 'STOPPED'), line.opened);
    }
    return left(seen, stagesOf(seen, first), line.opened);
  } finally {
    line.close();
  }
}

/** The name for SNI: in its ASCII form, without a final dot (RFC 6066 section 3); null for an address. */
function serverNameOf({ domain }: Endpoint): string | null {
  if (domain === null || isIP(domain) !== 0) return null;
  const name = domain.replace(/\.$/, '');
  const ascii = domainToASCII(name) || name;
  return /^[\x21-\x7e]{1,255}$/.test(ascii) ? ascii : null;
}
