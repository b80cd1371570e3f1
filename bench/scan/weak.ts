import type { CheckId } from '../../lib/model/checks';
import type { EndpointReport } from '../../lib/model/report';
import type { OldServer } from '../../test/lab/old-servers';
import { runNmap, runSslscan, type PeerRun } from '../support/peers';
import { scanOnce } from '../support/scan-once';
import { printTable, type Row } from '../support/table';
import { startWeakServer, WEAK_SERVER_SUITES } from '../support/weak-server';

/** Connections to Node.js 0.12.0 with everything on, and whether all was found. */
export async function weak(): Promise<void> {
  const server = await startWeakServer();
  if ('skipped' in server) return console.log(`\nweak: nothing measured, ${server.skipped}.`);
  try {
    printTable('weak: Node.js 0.12.0 with everything on', await rowsOf(server));
  } finally {
    await server.close();
  }
}

async function rowsOf(server: OldServer): Promise<Row[]> {
  const cover = await counted(server, () => scanOnce(server, { connections: 4 }));
  const one = await counted(server, () => scanOnce(server, { connections: 1, profile: 'full' }));
  const parallel = await counted(server, () => scanOnce(server, { connections: 16, profile: 'full' }));
  const made = new Set(cover.answer.checks.filter(({ verdict }) => verdict !== 'skipped').map(({ id }) => id));
  const everything = vulnerable(one.answer).filter(id => made.has(id));
  const missed = everything.filter(id => !vulnerable(cover.answer).includes(id));
  const found = one.answer.ciphers.length;
  const full = (look: Counted<EndpointReport>, ratio: string): Pick<Row, 'figure' | 'bar'> => ({
    figure: `${look.count}, ${(look.count / look.answer.ciphers.length).toFixed(2)} x ${look.answer.ciphers.length} suites`,
    bar: `<= ${ratio} x, ${WEAK_SERVER_SUITES} suites`,
  });
  return [
    {
      what: `quick, ${everything.length - missed.length} of the ${everything.length} weaknesses that full finds with the same checks`,
      figure: `${cover.count}, ${cover.answer.ciphers.length} suites`,
      bar: '<= 30, all weaknesses',
    },
    { what: 'full, one by one', ...full(one, '1.05') },
    { what: 'full, 16 at once', ...full(parallel, '1.4') },
    await peerRow(server, 'sslscan, suites only', found, () => runSslscan(server, 'suites-only')),
    await peerRow(server, 'nmap ssl-enum-ciphers, sslv2', found, () => runNmap(server, 'suites-only')),
  ];
}

interface Counted<T> {
  answer: T;
  count: number;
}

async function counted<T>(server: OldServer, look: () => Promise<T>): Promise<Counted<T>> {
  const before = await server.connections();
  const answer = await look();
  return { answer, count: (await server.connections()) - before };
}

async function peerRow(
  server: OldServer,
  what: string,
  found: number,
  look: () => Promise<PeerRun | null>,
): Promise<Row> {
  const { answer, count } = await counted(server, look);
  if (answer === null) return { what, figure: '', peer: 'not installed' };
  return { what, figure: '', peer: `${count}, ${(count / found).toFixed(2)} x ${found}` };
}

function vulnerable({ checks }: EndpointReport): CheckId[] {
  return checks.filter(({ verdict }) => verdict === 'vulnerable').map(({ id }) => id);
}
