import type { EndpointReport } from '../../lib/model/report';
import { startHealthy } from '../../test/lab/tls-servers';
import { issueMany } from '../support/certificates';
import { startDelayProxy, type DelayProxy } from '../support/delay-proxy';
import { runNmap, runSslscan, type PeerRun } from '../support/peers';
import { medianTime, scanOnce } from '../support/scan-once';
import { printTable, seconds, type Row } from '../support/table';
import { startWeakServer } from '../support/weak-server';
import type { SectionOptions } from './section';

const ROUND_TRIP_MS = 50;

/** Wall time behind a round trip of 50 ms. */
export async function roundTrip({ isQuick }: SectionOptions): Promise<void> {
  const rounds = isQuick ? 1 : 5;
  const rows = [...(await healthyRows(rounds)), ...(await weakRows(rounds))];
  printTable(`round-trip: ${ROUND_TRIP_MS} ms, median of ${rounds}, others once`, rows);
}

async function healthyRows(rounds: number): Promise<Row[]> {
  const { ca, servers } = issueMany(1, () => 'healthy.bench.example');
  const server = await startHealthy({ cert: servers[0]?.cert ?? '', key: servers[0]?.key ?? '' });
  try {
    return await behindDelay(server, async proxy => [
      await row('healthy host, quick', '<= 0.30 s', rounds, () => scanOnce(proxy, { connections: 4, ca: [ca] })),
      await peerRow('sslscan, healthy host, suites only', () => runSslscan(proxy, 'suites-only')),
      await peerRow('nmap ssl-enum-ciphers and sslv2, healthy host', () => runNmap(proxy, 'suites-only')),
    ]);
  } finally {
    await server.close();
  }
}

async function weakRows(rounds: number): Promise<Row[]> {
  const server = await startWeakServer();
  if ('skipped' in server) return [{ what: `Node.js 0.12.0: ${server.skipped}`, figure: '-' }];
  try {
    return await behindDelay(server, async proxy => [
      await row('Node.js 0.12.0, full list of suites, perHost 16', '<= 1.2 s', rounds, () =>
        scanOnce(proxy, { connections: 16, profile: 'full', checks: ['rc4'] }),
      ),
      await row('Node.js 0.12.0, full, every check too, perHost 16', '', rounds, () =>
        scanOnce(proxy, { connections: 16, profile: 'full' }),
      ),
      await row('Node.js 0.12.0, quick, perHost 4', '', rounds, () => scanOnce(proxy, { connections: 4 })),
      await peerRow('sslscan, Node.js 0.12.0, suites only', () => runSslscan(proxy, 'suites-only')),
      await peerRow('nmap ssl-enum-ciphers and sslv2, Node.js 0.12.0', () => runNmap(proxy, 'suites-only')),
    ]);
  } finally {
    await server.close();
  }
}

async function behindDelay(
  { host, port }: { host: string; port: number },
  measure: (proxy: DelayProxy) => Promise<Row[]>,
): Promise<Row[]> {
  const proxy = await startDelayProxy({ host, port, delayMs: ROUND_TRIP_MS / 2 });
  try {
    return await measure(proxy);
  } finally {
    await proxy.close();
  }
}

async function row(what: string, bar: string, rounds: number, scan: () => Promise<EndpointReport>): Promise<Row> {
  const { report, wallMs } = await medianTime(rounds, scan);
  const found = `${report.connections} connections, ${report.ciphers.length} suites`;
  return { what, figure: `${seconds(wallMs)} (${found})`, bar };
}

async function peerRow(what: string, look: () => Promise<PeerRun | null>): Promise<Row> {
  const answer = await look();
  return { what, figure: '', peer: answer === null ? 'not installed' : seconds(answer.wallMs) };
}
