import type { EndpointReport } from '../../lib/model/report';
import { scanEndpoint } from '../../lib/scan/scanner';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';

/** Looks at one server as a worker thread would, in this thread. */
export function scanOnce(
  { host, port }: { host: string; port: number },
  { connections, ...settings }: Partial<ScanSettings> & { connections: number },
): Promise<EndpointReport> {
  const endpoint = { domain: null, ip: host, port, starttls: null, name: `${host}:${port}` };
  const { signal } = new AbortController();
  return scanEndpoint(endpoint, { ...DEFAULT_SCAN_SETTINGS, ...settings }, { runId: 'bench', connections, signal });
}

/** How often `scan` went well, its report, and the time it took: the median of some rounds. */
export async function medianTime(
  rounds: number,
  scan: () => Promise<EndpointReport>,
): Promise<{ report: EndpointReport; wallMs: number }> {
  const looks: { report: EndpointReport; wallMs: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const from = performance.now();
    const report = await scan();
    looks.push({ report, wallMs: performance.now() - from });
  }
  looks.sort((a, b) => a.wallMs - b.wallMs);
  const median = looks[Math.floor(rounds / 2)];
  if (median === undefined) throw new RangeError('at least one round');
  return median;
}
