import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import tls from 'node:tls';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { startFlawedTls, type FlawedTls, type Flaws } from '../lab/flawed-tls';

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const;

describe('the flawed TLS server', () => {
  const open: { close(): Promise<void> }[] = [];
  let issued: IssuedCertificate;
  before(async () => {
    issued = await issue(await makeCa('Flawed Root'), { commonName: 'a.example', dns: ['a.example'] });
  });
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  async function start(flaws: Flaws = {}): Promise<FlawedTls> {
    const server = await startFlawedTls({ ...issued, flaws });
    open.push(server);
    return server;
  }

  async function connect({ host, port }: FlawedTls, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const socket = tls.connect({
      host,
      port,
      servername: 'a.example',
      ca: issued.ca,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.2',
      ciphers: 'AES128-SHA:AES256-SHA:@SECLEVEL=0',
      ...options,
    });
    open.push({ close: async () => void socket.destroy() });
    await once(socket, 'secureConnect');
    return socket;
  }

  async function echoed(socket: tls.TLSSocket, sent: Buffer): Promise<Buffer> {
    let got = Buffer.alloc(0);
    socket.write(sent);
    while (got.length < sent.length) got = Buffer.concat([got, ((await once(socket, 'data')) as [Buffer])[0]]);
    return got;
  }

  for (const version of VERSIONS) {
    for (const cipher of ['AES128-SHA', 'AES256-SHA']) {
      it(`without a flaw is a server to node:tls in ${version} with ${cipher}`, async () => {
        const server = await start();
        const options = { minVersion: version, maxVersion: version, ciphers: `${cipher}:@SECLEVEL=0` };
        const socket = await connect(server, options);
        assert.equal(socket.getProtocol(), version);
        assert.equal(socket.getCipher().name, cipher);
        assert.ok(socket.authorized);
        const sent = Buffer.alloc(40_000, 'data ');
        assert.deepEqual(await echoed(socket, sent), sent);
        assert.deepEqual(server.handshakes, { full: 1, resumed: 0 });
      });
    }

    it(`takes up a session by its ticket in ${version}`, async () => {
      const server = await start();
      const options = { minVersion: version, maxVersion: version };
      const first = await connect(server, options);
      const session = first.getSession();
      assert.ok(session);
      const second = await connect(server, { ...options, session });
      assert.ok(second.isSessionReused());
      assert.deepEqual(await echoed(second, Buffer.from('again')), Buffer.from('again'));
      assert.deepEqual(server.handshakes, { full: 1, resumed: 1 });
    });
  }

  it('is a server to openssl s_client', async () => {
    const { host, port } = await start();
    const args = ['s_client', '-connect', `${host}:${port}`, '-tls1_2', '-cipher', 'AES128-SHA', '-ign_eof'];
    const client = execFile('openssl', args);
    let output = '';
    client.stdout?.on('data', (text: string) => (output += text));
    client.stdin?.write('hello there\n');
    while (!/^hello there$/m.test(output)) await once(client.stdout ?? client, 'data');
    client.kill();
    await once(client, 'close');
    assert.match(output, /Cipher is AES128-SHA/);
    assert.match(output, /Secure Renegotiation IS supported/);
  });
});
