import assert from 'node:assert/strict';
import net, { type Socket } from 'node:net';
import { robot } from '../../lib/scan/probes/robot';
import { ticketbleed } from '../../lib/scan/probes/ticketbleed';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { startFlawedTls } from '../lab/flawed-tls';
import { startScripted, type LabServer } from '../lab/tls-servers';
import { judge } from './handshake-support';
import type { AskingProbe } from '../../lib/scan/probes/probe';

describe('checks with handshakes of their own, and a server that changes its mind', function () {
  this.timeout(30_000);
  const open: LabServer[] = [];
  let rsa: IssuedCertificate;
  before(async () => {
    rsa = await issue(await makeCa('Moody Root'), { commonName: 'a.example', dns: ['a.example'] });
  });
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  /**
   * A server in front of a real one that treats the connections of the probe, counted from 1, in its own way: what
   * `mood` does with one keeps it from the real server.
   */
  async function judgeMoody(
    probe: AskingProbe,
    mood: (count: number) => ((socket: Socket) => void) | null,
  ): ReturnType<typeof judge> {
    const inner = await startFlawedTls(rsa);
    let count = 0;
    let isProbing = false;
    const server = await startScripted(socket => {
      const treat = isProbing ? mood((count += 1)) : null;
      if (treat !== null) return treat(socket);
      const way = net.connect(inner.port, inner.host);
      way.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('close', () => way.destroy());
      socket.pipe(way).pipe(socket);
    });
    open.push(server, inner);
    return judge(server, {
      id: probe.id,
      ask: dialogue => {
        isProbing = true;
        return probe.ask(dialogue);
      },
    });
  }

  const reset = (socket: Socket): void => void socket.resetAndDestroy();
  const refuse = (socket: Socket): void => {
    socket.once('data', () => socket.end(Buffer.from([21, 3, 1, 0, 2, 2, 40])));
  };

  it('gives an odd answer a second chance', async () => {
    const { verdict, connections } = await judgeMoody(robot, count => (count === 1 ? reset : null));
    assert.equal(verdict, 'ok');
    assert.equal(connections, 6);
  });

  it('does not take a refusal for an answer where the same was taken before', async () => {
    const { verdict, detail } = await judgeMoody(robot, count => (count > 2 ? refuse : null));
    assert.equal(verdict, 'cannot-tell');
    assert.match(detail, /refused what it took before: alert handshake_failure/);
  });

  it('does not go on for ever with a server that only resets', async () => {
    const { verdict, connections } = await judgeMoody(ticketbleed, () => reset);
    assert.equal(verdict, 'cannot-tell');
    assert.equal(connections, 4);
  });
});
