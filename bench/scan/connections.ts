import { startHealthy } from '../../test/lab/tls-servers';
import { issueMany } from '../support/certificates';
import { runNmap, runSslscan, type PeerRun } from '../support/peers';
import { scanOnce } from '../support/scan-once';
import { printTable, type Row } from '../support/table';

/** TCP connections for one look at a healthy host, counted by the server. */
export async function connections(): Promise<void> {
  const { ca, servers } = issueMany(1, () => 'healthy.bench.example');
  const [certificate] = servers;
  const server = await startHealthy({ cert: certificate?.cert ?? '', key: certificate?.key ?? '' });
  const counted = async <T>(look: () => Promise<T>): Promise<{ answer: T; count: number }> => {
    const before = server.connections;
    const answer = await look();
    return { answer, count: server.connections - before };
  };
  try {
    const quick = await counted(() => scanOnce(server, { connections: 4, ca: [ca] }));
    const full = await counted(() => scanOnce(server, { connections: 4, ca: [ca], profile: 'full' }));
    const { certificate: seen, checks } = quick.answer;
    const made = checks.filter(({ verdict }) => verdict !== 'skipped').length;
    const peer = async (name: string, look: () => Promise<PeerRun | null>): Promise<Row> => {
      const { answer, count } = await counted(look);
      return { what: name, figure: '', peer: answer === null ? 'not installed' : String(count) };
    };
    printTable('connections: healthy host, TLS 1.2 (ECDHE, AEAD) and TLS 1.3', [
      {
        what: `quick, ${made} checks, ${seen === null ? 'NO certificate' : 'certificate included'}`,
        figure: String(quick.count),
        bar: '<= 5',
      },
      { what: 'full, every suite', figure: String(full.count) },
      await peer('sslscan, suites only, without certificate', () => runSslscan(server, 'suites-only')),
      await peer('sslscan', () => runSslscan(server, 'all')),
      await peer('nmap ssl-enum-ciphers, sslv2', () => runNmap(server, 'suites-only')),
      await peer('nmap, also ssl-cert, heartbleed, poodle, ccs', () => runNmap(server, 'all')),
    ]);
  } finally {
    await server.close();
  }
}
