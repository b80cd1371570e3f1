import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import tls, { type SecureVersion, type TLSSocket } from 'node:tls';
import type { Opened } from '../../lib/scan/dialogue';
import { completeHandshake, Session } from '../../lib/scan/handshake';
import { ClientHandshake } from '../../lib/scan/wire/client-handshake';
import { AGREEABLE_GROUPS } from '../../lib/scan/wire/key-exchange';
import { issue, makeCa, type Ca, type IssuedCertificate } from '../lab/certificates';
import { startFlawedTls } from '../lab/flawed-tls';
import { converse, recordOf, suitesNamed } from './handshake-support';

const APPLICATION_DATA = 23;
/** OpenSSL's name, IANA's name, and whether it needs TLS 1.2. */
const SUITES_SPOKEN = [
  ['AES128-SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA', false],
  ['AES256-SHA', 'TLS_RSA_WITH_AES_256_CBC_SHA', false],
  ['CAMELLIA256-SHA', 'TLS_RSA_WITH_CAMELLIA_256_CBC_SHA', false],
  ['ECDHE-RSA-AES128-SHA', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', false],
  ['DHE-RSA-AES256-SHA', 'TLS_DHE_RSA_WITH_AES_256_CBC_SHA', false],
  ['AES128-SHA256', 'TLS_RSA_WITH_AES_128_CBC_SHA256', true],
  ['ECDHE-RSA-AES256-SHA384', 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', true],
  ['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', true],
  ['ECDHE-RSA-AES256-GCM-SHA384', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', true],
  ['ECDHE-RSA-CHACHA20-POLY1305', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', true],
] as const;
const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2'];

describe('a handshake of our own', function () {
  this.timeout(60_000);
  let ca: Ca;
  let rsa: IssuedCertificate;
  let ec: IssuedCertificate;
  let close: () => Promise<void>;
  before(async () => {
    ca = await makeCa('Handshake Root');
    rsa = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    ec = await issue(ca, { commonName: 'a.example', dns: ['a.example'], keyType: 'ec256' });
  });
  afterEach(() => close());

  /** A real server; `peer` resolves to its side of the first connection that completes. */
  async function up(options: tls.TlsOptions): Promise<{ host: string; port: number; peer: Promise<TLSSocket> }> {
    const server = tls.createServer({ ...rsa, dhparam: 'auto', maxVersion: 'TLSv1.2', ...options });
    const sockets = new Set<net.Socket>();
    server.on('connection', (socket: net.Socket) => sockets.add(socket.on('error', () => {})));
    server.on('tlsClientError', () => {});
    const peer = new Promise<TLSSocket>(resolve =>
      server.on('secureConnection', socket => resolve(socket.on('error', () => {}))),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    close = async () => {
      sockets.forEach(socket => socket.destroy());
      server.close();
      await once(server, 'close');
    };
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, peer };
  }

  /** Sends a word each way; what the server read is the server's own word for it. */
  async function exchange(session: Session, peer: Promise<TLSSocket>): Promise<{ there: string; here: string }> {
    const socket = await peer;
    session.send(APPLICATION_DATA, Buffer.from('to the server'));
    const [there] = (await once(socket, 'data')) as [Buffer];
    socket.write('to the client');
    let here = '';
    while (here.length < 'to the client'.length) {
      const record = recordOf(await session.next());
      if (record.type === APPLICATION_DATA) here += record.content.toString();
    }
    return { there: there.toString(), here };
  }

  for (const protocol of VERSIONS) {
    for (const [opensslName, name, isForTls12] of SUITES_SPOKEN) {
      if (isForTls12 && protocol !== 'TLSv1.2') continue;
      it(`carries data both ways in ${protocol} with ${name}`, async () => {
        const server = await up({
          minVersion: 'TLSv1',
          maxVersion: protocol,
          ciphers: `${opensslName}:@SECLEVEL=0`,
        });
        const reply = await converse(
          server,
          protocol,
          suitesNamed(name),
          async opened => {
            const { session } = await completeHandshake(opened);
            return exchange(session, server.peer);
          },
          { groups: AGREEABLE_GROUPS },
        );
        assert.deepEqual(reply, { kind: 'used', value: { there: 'to the server', here: 'to the client' } });
        const socket = await server.peer;
        assert.equal(socket.getProtocol(), protocol);
        assert.equal(socket.getCipher().name, opensslName);
      });
    }
  }

  for (const curve of ['X25519', 'X448', 'P-256', 'P-384', 'P-521', 'brainpoolP256r1']) {
    it(`agrees on a key over ${curve}, with a server whose key is ECDSA`, async () => {
      const server = await up({ ...ec, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', ecdhCurve: curve });
      const suites = suitesNamed('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
      const reply = await converse(
        server,
        'TLSv1.2',
        suites,
        async opened => exchange((await completeHandshake(opened)).session, server.peer),
        { groups: AGREEABLE_GROUPS },
      );
      assert.deepEqual(reply, { kind: 'used', value: { there: 'to the server', here: 'to the client' } });
    });
  }

  it('goes on without a certificate where the server would like one', async () => {
    const server = await up({ requestCert: true, rejectUnauthorized: false, ciphers: 'AES128-SHA:@SECLEVEL=0' });
    const reply = await converse(server, 'TLSv1.2', suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA'), async opened =>
      exchange((await completeHandshake(opened)).session, server.peer),
    );
    assert.deepEqual(reply, { kind: 'used', value: { there: 'to the server', here: 'to the client' } });
  });

  it('carries many records each way', async () => {
    const server = await up({ minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' });
    const words = ['a', 'bb', '', 'x'.repeat(15), 'x'.repeat(16), 'x'.repeat(5000)];
    const reply = await converse(server, 'TLSv1', suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA'), async opened => {
      const { session } = await completeHandshake(opened);
      const socket = await server.peer;
      socket.pipe(socket);
      words.forEach(word => session.send(APPLICATION_DATA, Buffer.from(word)));
      let here = '';
      while (here.length < words.join('').length) {
        const record = recordOf(await session.next());
        here += record.content.toString();
      }
      return here;
    });
    assert.deepEqual(reply, { kind: 'used', value: words.join('') });
  });

  it('takes the ticket that it asked for', async () => {
    const server = await up({ ciphers: 'AES128-SHA:@SECLEVEL=0' });
    const take = async (opened: Opened): Promise<number> => (await completeHandshake(opened)).ticket?.length ?? 0;
    const suites = suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA');
    const reply = await converse(server, 'TLSv1.2', suites, take, { sessionTicket: Buffer.alloc(0) });
    assert.ok(reply.kind === 'used' && reply.value > 100, JSON.stringify(reply));
  });

  it('tells a server that ends the handshake, with its alert', async () => {
    const server = await up({ ciphers: 'AES128-SHA:@SECLEVEL=0' });
    const reply = await converse(server, 'TLSv1.2', suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA'), opened =>
      // another random than the one sent: other keys, so that our Finished is wrong
      completeHandshake({ ...opened, hello: { ...opened.hello, random: Buffer.alloc(32) } }),
    );
    assert.deepEqual(reply, {
      kind: 'unknown',
      how: 'odd',
      word: 'MALFORMED',
      reason: 'the handshake ended with alert bad_record_mac',
    });
  });

  it('notices a Finished of the server that does not fit what was said', async () => {
    const server = await startFlawedTls(rsa);
    close = () => server.close();
    const reply = await converse(server, 'TLSv1.2', suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA'), async opened => {
      const handshake = new ClientHandshake(opened);
      const session = new Session(opened.connection, handshake.layer);
      session.sendAsIs(handshake.request);
      const other = new ClientHandshake(opened); // with other keys of its own
      for (;;) {
        const record = recordOf(await session.next());
        if (record.type === 22) return other.take(record);
      }
    });
    assert.ok(reply.kind === 'unknown');
    assert.equal(reply.reason, 'its Finished is wrong');
  });

  it('says so where a suite or a certificate leads nowhere', async () => {
    const server = await up({ ciphers: 'AES128-SHA:AES128-CCM:@SECLEVEL=0' });
    const ccm = await converse(server, 'TLSv1.2', suitesNamed('TLS_RSA_WITH_AES_128_CCM'), completeHandshake);
    assert.ok(ccm.kind === 'unknown');
    assert.equal(ccm.reason, 'TLS_RSA_WITH_AES_128_CCM cannot be spoken here');
    const unread = await converse(server, 'TLSv1.2', suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA'), opened =>
      completeHandshake({ ...opened, flight: { ...opened.flight, certificates: [Buffer.from('not DER')] } }),
    );
    assert.ok(unread.kind === 'unknown');
    assert.equal(unread.reason, 'the certificate cannot be read');
  });
});
