import { X509Certificate } from 'node:crypto';
import type { CheckId } from '../../lib/model/checks';
import { makeEndpoint } from '../../lib/model/endpoint';
import type { Check, EndpointReport, Protocol } from '../../lib/model/report';
import { scanEndpoint } from '../../lib/scan/scanner';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';

/** Scans `host:port` under a name; short waits, since everything is near. */
export function scan(
  { host, port }: { host: string; port: number },
  {
    domain = null,
    connections = 4,
    signal = new AbortController().signal,
    ...settings
  }: Partial<ScanSettings> & {
    domain?: string | null;
    connections?: number;
    signal?: AbortSignal;
  } = {},
): Promise<EndpointReport> {
  return scanEndpoint(
    makeEndpoint({ domain, ip: host, port, starttls: null }),
    { ...DEFAULT_SCAN_SETTINGS, timeoutMs: 2000, ...settings },
    { runId: 'run', connections, signal },
  );
}

export function check(report: EndpointReport, id: CheckId): Check {
  const found = report.checks.find(one => one.id === id);
  if (found === undefined) throw new Error(`${id} is missing`);
  return found;
}

/** Ids of the checks with a verdict. */
export function idsWith(report: EndpointReport, verdict: Check['verdict']): CheckId[] {
  return report.checks.filter(one => one.verdict === verdict).map(({ id }) => id);
}

/** IANA's names of the suites found in one version. */
export function suitesOf(report: EndpointReport, protocol: Protocol): string[] {
  return report.ciphers.filter(cipher => cipher.protocol === protocol).map(({ name }) => name);
}

export function der(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}
