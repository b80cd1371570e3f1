import assert from 'node:assert/strict';
import net from 'node:net';
import type { Opened } from '../../lib/scan/dialogue';
import { completeHandshake } from '../../lib/scan/handshake';
import { clientRenegotiation } from '../../lib/scan/probes/client-renegotiation';
import { robot } from '../../lib/scan/probes/robot';
import { WireError } from '../../lib/scan/wire/bytes';
import { CbcOpener, CbcSealer, sealFlawed } from '../../lib/scan/wire/cbc-record';
import { cipherSpec } from '../../lib/scan/wire/cipher-spec';
import { ClientHandshake } from '../../lib/scan/wire/client-handshake';
import { deriveKeys, masterSecret } from '../../lib/scan/wire/keys';
import { MESSAGE, message } from '../../lib/scan/wire/messages';
import { verifyData } from '../../lib/scan/wire/prf';
import { RECORD } from '../../lib/scan/wire/records';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { installOldServers, type Installed, type OldServer, type OldServerOptions } from '../lab/old-servers';
import { startScripted, type LabServer } from '../lab/tls-servers';
import { skip } from '../support/skip';
import { converse, judge, suitesNamed } from './handshake-support';
import { dhparam } from './matrix/dhparam';

/**
 * A connection of SSL 3.0 between two processes of Node.js 0.10.48 (OpenSSL 1.0.1u) with TLS_RSA_WITH_AES_128_CBC_SHA, as a
 * proxy saw it; none of our code took part. The premaster secret is what the server's key makes of the ClientKeyExchange,
 * the master secret is the one in the client's session. The client said "question", the server "answer", each after an
 * empty record.
 */
const RECORDED = {
  premaster: '0300d9bbd887255fcd125d6e1e9ea7b1900a210f024bbd3fce0e341b0f168fa391224aa5e1834b4bb6cf850d96f807fb',
  clientRandom: '0f26954de51ae904c46f017b62674b31314a92fae37cc0bd462bb6cc90b08928',
  serverRandom: '21b92d9966f7eceff797e15a061ec7896182ca602b1bea8a9e46053e045fe716',
  master: 'dc4632d4f1650bb544c697c1a5b49debd6376c8e8f4ba0714f4551e93502968064fd5d49ac02037a6df2db2b955468eb',
  hello: '0100002b03000f26954de51ae904c46f017b62674b31314a92fae37cc0bd462bb6cc90b08928000004002f00ff0100',
  flight:
    '0200004d030021b92d9966f7eceff797e15a061ec7896182ca602b1bea8a9e46053e045fe716203bb59f8735fcdaf6b42f3b' +
    '834ce4c5e30c1f4e4cbe1e77b8050673630dc8046c002f000005ff010001000b00011e00011b000118308201143081bf0214' +
    '7b7e821cf9ecab875bf0acc6e740310298eadddb300d06092a864886f70d0101050500300c310a300806035504030c016130' +
    '1e170d3236313132353138333431395a170d3336313132323138333431395a300c310a300806035504030c0161305c300d06' +
    '092a864886f70d0101010500034b003048024100c28ef52a2ed53c90b1c46fe5ceb2601451f8b79a8de79d9b0441b2757b02' +
    '91d49f7a2653157d732a680cfd853353b43757b7d936b8e669644e1c1639098325b50203010001300d06092a864886f70d01' +
    '010505000341008ad354affcf17f96351a6761cb0c24a2a559fbaf94ea9d1c7a2623aebfa2499fed48bd5288affb944b40e5' +
    '4ab443e28ff57b3ba4a0120be646ac94ad66cf64160e000000',
  keyExchange:
    '100000407e6a4074389b7c545378f692be634ecf2fe1811a40fbaf399ea69125c0015cdad5edd7316670792cf01b282d2ceb' +
    '88836b3fedf3c3cb001a9803d239476c5c4c',
  clientSealed: [
    {
      type: 22,
      fragment:
        '9afec1f17775f3f921c8779f4ee7a964bb20b023cb696b1dcea224ee71de7886db1a2570ce4283ec33af6536deda56e7769ff9194071a3f4a8e19e76b98b278a',
    },
    { type: 23, fragment: '18f98d6c2bd1c1233d26d391ddf3253af41c4a7edd24f06680700317d85ce8c4' },
    { type: 23, fragment: '97e32aec5c740a47a6bf54cbdbea953656181c86fec05d9cb787398443196fa0' },
  ],
  serverSealed: [
    {
      type: 22,
      fragment:
        '5eb41108ed7fadcac4119c942a5616aadeaada1cb47b4a3f351152f1d53fbd45f57c772b4886efa069b0f1bd8ef5cfcdfdf408ece0952b9d71ed203d358731dd',
    },
    { type: 23, fragment: '2f36718dfdae3a64c22caa2fe4079be3a39865e5f564b1725de1659c0a17e67a' },
    { type: 23, fragment: 'ebbb1fec4ce2c9a158dd194bf881504edff00d79a0ecca8608b98765b55ba830' },
  ],
} as const;

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const [aes128] = suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA');
const spec = aes128 && cipherSpec(aes128);
assert.ok(spec);

describe('SSL 3.0 as OpenSSL spoke it', () => {
  const protocol = 'SSLv3';
  const master = hex(RECORDED.master);
  const clientRandom = hex(RECORDED.clientRandom);
  const serverRandom = hex(RECORDED.serverRandom);
  const keys = deriveKeys({ protocol, spec, hash: 'ssl3', master, clientRandom, serverRandom });
  const opened = (side: 'client' | 'server'): Buffer[] => {
    const opener = new CbcOpener({ protocol, spec, keys: keys[side] });
    return RECORDED[`${side}Sealed`].map(({ type, fragment }) => opener.open(type, hex(fragment)));
  };

  it('has the same master secret', () => {
    const made = masterSecret('ssl3', hex(RECORDED.premaster), clientRandom, serverRandom);
    assert.equal(made.toString('hex'), RECORDED.master);
  });

  it('has the same keys, MACs and Finished on both sides', () => {
    const transcript = [hex(RECORDED.hello), hex(RECORDED.flight), hex(RECORDED.keyExchange)];
    const [clientFinished, ...question] = opened('client');
    const expected = message(MESSAGE.finished, verifyData('ssl3', master, 'client', transcript));
    assert.equal(clientFinished?.toString('hex'), expected.toString('hex'));
    assert.deepEqual(question.map(String), ['', 'question']);

    const [serverFinished, ...answer] = opened('server');
    const answered = message(MESSAGE.finished, verifyData('ssl3', master, 'server', [...transcript, expected]));
    assert.equal(serverFinished?.toString('hex'), answered.toString('hex'));
    assert.deepEqual(answer.map(String), ['', 'answer']);
  });

  const pair = (): { sealer: CbcSealer; opener: CbcOpener } => ({
    sealer: new CbcSealer({ protocol, spec, keys: keys.client }),
    opener: new CbcOpener({ protocol, spec, keys: keys.client }),
  });

  it('reads records as they were written', () => {
    const { sealer, opener } = pair();
    for (const word of ['', 'a', 'eleven byte', 'twelve bytes', 'x'.repeat(1000)]) {
      assert.equal(
        opener.open(RECORD.applicationData, sealer.seal(RECORD.applicationData, Buffer.from(word))).toString(),
        word,
      );
    }
  });

  it('covers the type, the place and every byte by the MAC', () => {
    const content = Buffer.from('content');
    const changes: ((fragment: Buffer, opener: CbcOpener) => void)[] = [
      (fragment, opener) => void opener.open(RECORD.alert, fragment),
      (fragment, opener) => {
        opener.open(RECORD.applicationData, fragment);
        opener.open(RECORD.applicationData, fragment);
      },
    ];
    for (const change of changes) {
      const { sealer, opener } = pair();
      assert.throws(() => change(sealer.seal(RECORD.applicationData, content), opener), WireError);
    }
    const { sealer, opener } = pair();
    assert.throws(() => opener.open(RECORD.applicationData, sealFlawed(sealer, 'bad-mac')), /wrong MAC/);
  });

  it('takes any bytes as padding, up to a block of them', () => {
    const content = Buffer.from('eleven byte'); // and 20 of MAC: one byte is left of two blocks
    const sealed = (padding: Buffer): [Buffer, CbcOpener] => {
      const { sealer, opener } = pair();
      return [sealer.sealAsIs(content, sealer.mac(RECORD.applicationData, content), padding), opener];
    };
    const whole = Buffer.concat([Buffer.alloc(16, 0xaa), Buffer.from([16])]);
    const [ofOne, opener] = sealed(Buffer.from([0]));
    assert.equal(opener.open(RECORD.applicationData, ofOne).toString(), 'eleven byte');
    const [tooLong, strict] = sealed(whole);
    assert.throws(() => strict.open(RECORD.applicationData, tooLong), /wrong padding/);
  });
});

describe('a handshake of SSL 3.0 with old servers', function () {
  this.timeout(15 * 60_000); // the first run installs them
  let old: Installed;
  let rsa: IssuedCertificate;
  const open: (OldServer | LabServer)[] = [];
  before(async function () {
    const installed = await installOldServers('small');
    if ('skipped' in installed) return skip(this, installed.skipped);
    old = installed;
    rsa = await issue(await makeCa('Old Root'), { commonName: 'a.example', dns: ['a.example'] });
  });
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  async function up(version: '0.8.28' | '0.10.48' | '0.12.0', more: object = {}): Promise<OldServer> {
    const flags = version === '0.8.28' ? [] : ['--enable-ssl3'];
    const options: OldServerOptions = { ...rsa, ciphers: 'ALL', secureProtocol: 'SSLv3_method', ...more };
    const server = await old.start(version, { ...options, flags });
    open.push(server);
    return server;
  }

  /** Length of what the client's Finished said, once the server's is right. */
  const complete = async (opened: Opened): Promise<number> => (await completeHandshake(opened)).clientVerifyData.length;

  const SPOKEN = [
    'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
    'TLS_RSA_WITH_AES_128_CBC_SHA',
    'TLS_RSA_WITH_AES_256_CBC_SHA',
    'TLS_RSA_WITH_CAMELLIA_256_CBC_SHA',
    'TLS_DHE_RSA_WITH_AES_128_CBC_SHA',
  ];
  it('comes to its end with every kind of suite', async () => {
    const server = await up('0.12.0', { dhparam: dhparam(1024) });
    for (const name of SPOKEN) {
      assert.deepEqual(await converse(server, 'SSLv3', suitesNamed(name), complete), { kind: 'used', value: 36 }, name);
    }
  });

  it('goes on without a certificate where the server would like one', async () => {
    const server = await up('0.10.48', { requestCert: true, rejectUnauthorized: false });
    const suites = suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA');
    assert.deepEqual(await converse(server, 'SSLv3', suites, complete), { kind: 'used', value: 36 });
    const begin = (opened: Opened): Promise<Buffer> => Promise.resolve(new ClientHandshake(opened).request);
    const reply = await converse(server, 'SSLv3', suites, begin);
    assert.ok(reply.kind === 'used');
    assert.equal(reply.value.toString('hex', 0, 7), '15030000020129'); // a warning: no_certificate
  });

  it('is not begun where TLS was asked for, nor in a suite of TLS 1.2', async () => {
    const server = await up('0.10.48');
    const suites = suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA');
    const later = await converse(server, 'TLSv1.2', suites, complete);
    assert.ok(later.kind === 'unknown');
    assert.match(later.reason, /chose SSLv3 where a later version was offered/);
    const [sha256] = suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA256');
    assert.ok(sha256);
    const other = await converse(server, 'SSLv3', suites, opened => complete({ ...opened, suite: sha256 }));
    assert.ok(other.kind === 'unknown');
    assert.equal(other.reason, 'TLS_RSA_WITH_AES_128_CBC_SHA256 cannot be spoken here');
  });

  it('shows that each of them lets the client renegotiate, in one connection', async () => {
    for (const version of ['0.8.28', '0.10.48', '0.12.0'] as const) {
      const { verdict, detail, connections } = await judge(await up(version), clientRenegotiation);
      assert.equal(verdict, 'vulnerable', `${version}: ${detail}`);
      assert.match(detail, /in SSLv3/);
      assert.equal(connections, 1);
    }
  });

  it('clears one that ends a connection in which the client renegotiates, and no other', async () => {
    const inner = await up('0.10.48');
    const front = await startScripted(socket => {
      const way = net.connect(inner.port, inner.host);
      way.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('close', () => way.destroy());
      way.pipe(socket);
      let turns = 0; // hello, key exchange to Finished, and the new hello, each after an answer of the server
      socket.on('data', chunk => {
        turns += 1;
        if (turns === 3) socket.end();
        else way.write(chunk);
      });
    });
    open.push(front);
    const { verdict, detail } = await judge(front, clientRenegotiation);
    assert.equal(verdict, 'ok', detail);
    assert.match(detail, /leaves others open: closed/);
  });

  it('is the control of robot, where every connection ends at a ChangeCipherSpec', async () => {
    const inner = await up('0.10.48');
    const front = await startScripted(socket => {
      const way = net.connect(inner.port, inner.host);
      way.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('close', () => way.destroy());
      way.pipe(socket);
      socket.on('data', chunk =>
        chunk.includes(Buffer.from('140300000101', 'hex')) ? socket.end() : way.write(chunk),
      );
    });
    open.push(front);
    assert.equal((await judge(inner, robot)).verdict, 'ok');
    const { verdict, detail } = await judge(front, robot);
    assert.equal(verdict, 'cannot-tell', detail);
    assert.match(detail, /no handshake came to its end/);
  });

  it('cannot be had of a server that takes nothing but RC4', async () => {
    const { verdict, detail } = await judge(await up('0.10.48', { ciphers: 'RC4-SHA' }), clientRenegotiation);
    assert.equal(verdict, 'cannot-tell', detail);
    assert.match(detail, /SSLv3 alone was tried/);
  });
});
