import assert from 'node:assert/strict';
import type { Protocol } from '../../lib/model/report';
import { issue, makeCa } from '../lab/certificates';
import type { LabServer } from '../lab/tls-servers';
import { check, der, idsWith, scan, suitesOf } from './scan-support';
import { startScriptedTls, type Script, type ScriptedTls, type SeenHello } from './scripted-tls';

const TLS12 = 0x0303;
const ECDHE_RSA_AES128_GCM = 0xc02f;
const ECDHE_RSA_AES128_SHA = 0xc013;
const RSA_AES128_SHA = 0x002f;
const RSA_3DES_SHA = 0x000a;
const RSA_RC4_SHA = 0x0005;
const RSA_NULL_SHA = 0x0002; // in no common list
const RSA_EXPORT_RC4_MD5 = 0x0003;
const RSA_DES_SHA = 0x0009;
const DHE_RSA_AES128_GCM = 0x009e;
const DHE_RSA_EXPORT_DES40 = 0x0014;

describe('scanEndpoint against servers that nobody runs any more', function () {
  const open: LabServer[] = [];
  let chain: Buffer[];
  before(async () => {
    const ca = await makeCa('Scripted Root');
    const issued = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    chain = [der(issued.cert), der(ca.cert)];
  });
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  async function start(script: Partial<Script>): Promise<ScriptedTls> {
    const server = await startScriptedTls({ versions: [TLS12], suites: [ECDHE_RSA_AES128_GCM], chain, ...script });
    open.push(server);
    return server;
  }

  it('finds RC4, EXPORT, single DES and 3DES, and names every one of them', async () => {
    const server = await start({
      versions: [0x0301, TLS12],
      suites: [ECDHE_RSA_AES128_GCM, RSA_RC4_SHA, RSA_EXPORT_RC4_MD5, RSA_DES_SHA, RSA_3DES_SHA],
    });
    const report = await scan(server, { completeFor: { findings: [], weakFrom: 'insecure' } });
    assert.deepEqual(suitesOf(report, 'TLSv1'), [
      'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
      'TLS_RSA_WITH_RC4_128_SHA',
      'TLS_RSA_WITH_DES_CBC_SHA',
      'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
    ]);
    assert.deepEqual(
      report.ciphers.filter(cipher => cipher.protocol === 'TLSv1.2').map(cipher => [cipher.id, cipher.class]),
      [
        ['0003', 'insecure'],
        ['0005', 'insecure'],
        ['0009', 'insecure'],
        ['000A', 'weak'],
        ['C02F', 'secure'],
      ],
    );
    for (const id of ['rc4', 'export-cipher', 'des', 'sweet32', 'freak', 'tls10'] as const) {
      assert.equal(check(report, id).verdict, 'vulnerable', id);
    }
    assert.match(check(report, 'rc4').detail ?? '', /TLS_RSA_WITH_RC4_128_SHA in TLSv1/);
  });

  it('finds SSLv3 alone, with POODLE', async () => {
    const server = await start({ versions: [0x0300], suites: [RSA_AES128_SHA] });
    const report = await scan(server);
    assert.deepEqual(report.protocols, {
      SSLv2: 'refused',
      SSLv3: 'offered',
      TLSv1: 'refused',
      'TLSv1.1': 'refused',
      'TLSv1.2': 'refused',
      'TLSv1.3': 'refused',
    });
    assert.equal(check(report, 'sslv3').verdict, 'vulnerable');
    assert.equal(check(report, 'poodle-ssl').verdict, 'vulnerable');
    assert.deepEqual(report.ciphers[0]?.reasons.at(-1), 'SSLv3(RFC7568 MUST NOT)');
  });

  it('does not call SSLv3 with nothing but RC4 open to POODLE', async () => {
    const report = await scan(await start({ versions: [0x0300, TLS12], suites: [ECDHE_RSA_AES128_GCM, RSA_RC4_SHA] }));
    assert.equal(check(report, 'sslv3').verdict, 'vulnerable');
    assert.equal(check(report, 'poodle-ssl').verdict, 'ok');
  });

  it('lists all kinds of SSLv2, and DROWN with them', async () => {
    const report = await scan(await start({ sslv2Kinds: ['010080', '0700c0'] }));
    assert.equal(report.protocols.SSLv2, 'offered');
    assert.deepEqual(suitesOf(report, 'SSLv2'), ['SSL_CK_RC4_128_WITH_MD5', 'SSL_CK_DES_192_EDE3_CBC_WITH_MD5']);
    assert.equal(check(report, 'sslv2').verdict, 'vulnerable');
    assert.equal(check(report, 'drown').verdict, 'vulnerable');
  });

  it('keeps the certificate of a server that speaks SSLv2 alone', async () => {
    const report = await scan(await start({ versions: [], sslv2Kinds: ['010080'], refusal: 'close' }));
    assert.equal(report.protocols.SSLv2, 'offered');
    assert.equal(report.protocols['TLSv1.2'], 'refused');
    assert.equal(report.certificate?.commonName, 'a.example');
  });

  it('sees compression', async () => {
    const report = await scan(await start({ compression: 1 }));
    assert.equal(check(report, 'crime').verdict, 'vulnerable');
    assert.equal(check(await scan(await start({})), 'crime').verdict, 'ok');
  });

  it('sees a ServerHello that does not confirm RFC 5746', async () => {
    const report = await scan(await start({ isRenegotiationSecure: false }));
    assert.equal(check(report, 'insecure-renegotiation').verdict, 'vulnerable');
  });

  it('measures Diffie-Hellman primes', async () => {
    const suites = [ECDHE_RSA_AES128_GCM, DHE_RSA_AES128_GCM];
    const short = check(await scan(await start({ suites, primeBytes: 128 })), 'logjam');
    assert.equal(short.verdict, 'vulnerable');
    assert.match(short.detail ?? '', /1024 bits/);
    assert.equal(check(await scan(await start({ suites, primeBytes: 256 })), 'logjam').verdict, 'ok');
    assert.equal(check(await scan(await start({ suites: suites.slice(0, 1) })), 'logjam').verdict, 'ok');
  });

  it('cannot tell the prime of a suite whose parameters it did not see', async () => {
    const report = await scan(await start({ suites: [ECDHE_RSA_AES128_GCM, DHE_RSA_AES128_GCM] }));
    assert.equal(check(report, 'logjam').verdict, 'cannot-tell');
  });

  it('calls Diffie-Hellman export suites LOGJAM', async () => {
    const suites = [ECDHE_RSA_AES128_GCM, DHE_RSA_EXPORT_DES40];
    assert.equal(check(await scan(await start({ suites, primeBytes: 64 })), 'logjam').verdict, 'vulnerable');
  });

  it('reads the same from servers that close or reset instead of an alert', async () => {
    for (const refusal of ['close', 'reset'] as const) {
      const server = await start({ suites: [ECDHE_RSA_AES128_GCM, RSA_3DES_SHA], refusal });
      const report = await scan(server);
      assert.equal(report.status, 'scanned', refusal);
      assert.equal(report.protocols.TLSv1, 'refused', refusal);
      assert.equal(check(report, 'tls10').verdict, 'ok', refusal);
      assert.deepEqual(
        suitesOf(report, 'TLSv1.2'),
        ['TLS_RSA_WITH_3DES_EDE_CBC_SHA', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
        refusal,
      );
    }
  });

  it('cannot tell what a server does not answer, and calls the report partial', async () => {
    const report = await scan(await start({ refusal: 'silent' }), { timeoutMs: 150 });
    assert.equal(report.status, 'partial');
    assert.equal(report.protocols['TLSv1.2'], 'offered');
    assert.equal(report.protocols.TLSv1, 'cannot-tell');
    for (const id of ['sslv2', 'tls10', 'tls11', 'no-tls13', 'rc4', 'poodle-ssl', 'drown', 'freak'] as const) {
      assert.equal(check(report, id).verdict, 'cannot-tell', id);
    }
    assert.equal(check(report, 'name-mismatch').verdict, 'vulnerable', 'what is known is still told');
  });

  it('cannot tell what it was not let ask: resets of everything after the first answer are no refusals', async () => {
    const report = await scan(await start({ answers: 1 }));
    assert.equal(report.status, 'partial');
    assert.deepEqual(
      Object.entries(report.protocols).filter(([, state]) => state === 'refused'),
      [],
    );
    assert.equal(check(report, 'rc4').verdict, 'cannot-tell');
  });

  describe('with an ECDSA certificate', () => {
    const ECDHE_ECDSA_AES128_GCM = 0xc02b;
    const ECDHE_ECDSA_AES128_SHA = 0xc009;
    const ECDHE_RSA_AES256_GCM = 0xc030;
    const offersRsa = ({ suites }: SeenHello): boolean => suites.includes(ECDHE_RSA_AES256_GCM);
    const isCommon = ({ suites }: SeenHello): boolean => suites[0] === ECDHE_ECDSA_AES128_GCM;

    for (const [what, suites, profile] of [
      ['no weak suite', [ECDHE_ECDSA_AES128_GCM], 'quick'],
      ['a weak suite', [ECDHE_ECDSA_AES128_GCM, ECDHE_ECDSA_AES128_SHA], 'quick'],
      ['a weak suite, asked for everything', [ECDHE_ECDSA_AES128_GCM, ECDHE_ECDSA_AES128_SHA], 'full'],
    ] as const) {
      it(`says that an RSA one may be there when the hello for it is not answered: ${what}`, async () => {
        const silentTo = (hello: SeenHello): boolean =>
          hello.version === TLS12 &&
          !isCommon(hello) &&
          offersRsa(hello) &&
          !(suites.length > 1 && hello.suites.includes(ECDHE_ECDSA_AES128_SHA));
        const report = await scan(await start({ suites: [...suites], silentTo }), { timeoutMs: 150, profile });
        assert.equal(report.certificatesComplete, false);
        assert.equal(report.status, 'partial');
      });
    }

    it('says nothing of the kind when the RSA one is refused', async () => {
      for (const suites of [[ECDHE_ECDSA_AES128_GCM], [ECDHE_ECDSA_AES128_GCM, ECDHE_ECDSA_AES128_SHA]]) {
        for (const profile of ['quick', 'full'] as const) {
          const report = await scan(await start({ suites }), { profile });
          assert.equal('certificatesComplete' in report, false);
          assert.equal(report.status, 'scanned');
        }
      }
    });

    it('says nothing of the kind when only SSLv2 and old versions stay silent', async () => {
      const silentTo = (hello: SeenHello): boolean => hello.isSslv2 || hello.version < TLS12;
      const report = await scan(await start({ suites: [ECDHE_ECDSA_AES128_GCM], silentTo }), { timeoutMs: 150 });
      assert.equal(report.status, 'partial');
      assert.equal('certificatesComplete' in report, false);
    });
  });

  it('still lists what was found when a server stops answering in the middle', async () => {
    const suites = [ECDHE_RSA_AES128_GCM, RSA_RC4_SHA, ECDHE_RSA_AES128_SHA, RSA_3DES_SHA];
    const report = await scan(await start({ suites, answers: 7 }), { connections: 1 });
    assert.equal(report.status, 'partial');
    assert.equal(check(report, 'rc4').verdict, 'vulnerable');
    assert.equal(check(report, 'null-cipher').verdict, 'cannot-tell');
  });

  it('asks in shorter lists where long ones are too much', async () => {
    for (const manySuites of ['close', 'reset', 'silent'] as const) {
      const suites = [ECDHE_RSA_AES128_GCM, RSA_AES128_SHA, RSA_RC4_SHA];
      const server = await start({ versions: [0x0301, TLS12], suites, mostSuites: 128, manySuites });
      const report = await scan(server, { timeoutMs: 300 });
      assert.equal(report.status, 'scanned', manySuites);
      assert.deepEqual(
        suitesOf(report, 'TLSv1'),
        ['TLS_RSA_WITH_RC4_128_SHA', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
        manySuites,
      );
      assert.equal(check(report, 'rc4').verdict, 'vulnerable', manySuites);
    }
  });

  it('sends the name, never an address', async () => {
    const server = await start({ serverName: 'a.example' });
    const report = await scan(server, { domain: 'a.example' });
    assert.equal(report.status, 'scanned');
    const bare = await start({});
    await scan(bare);
    assert.deepEqual([...new Set(bare.hellos.map(hello => hello.serverName))], [null]);
  });

  it('says so when a server needs a name and there is none', async () => {
    const report = await scan(await start({ serverName: 'a.example' }));
    assert.equal(report.status, 'unreachable');
    assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'NEEDS_SNI' });
    assert.deepEqual(idsWith(report, 'ok'), []);
  });

  it('says so when a server knows the name it was asked for not', async () => {
    const report = await scan(await start({ serverName: 'a.example' }), { domain: 'b.example' });
    assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'UNRECOGNIZED_NAME' });
  });

  it('finds a hole between versions', async () => {
    const report = await scan(
      await start({ versions: [0x0301, 0x0303, 0x0304], suites: [0x1301, ECDHE_RSA_AES128_GCM, RSA_AES128_SHA] }),
    );
    assert.equal(report.protocols.TLSv1, 'offered');
    assert.equal(report.protocols['TLSv1.1'], 'refused');
    assert.equal(report.protocols['TLSv1.3'], 'offered');
    assert.equal(report.protocols.SSLv3, 'refused');
  });

  it('takes the mark in a ServerHello and a refusal of the weak suites for TLS 1.3', async () => {
    const server = await start({ versions: [TLS12, 0x0304], suites: [0x1301, ECDHE_RSA_AES128_GCM], isMarked: true });
    const report = await scan(server);
    assert.equal(report.protocols['TLSv1.3'], 'offered');
    assert.equal(report.connections, 5);
    assert.equal(server.connections, 5);
  });

  it('does not believe the mark where TLS 1.3 is refused as a version', async () => {
    const report = await scan(await start({ isMarked: true }));
    assert.equal(report.protocols['TLSv1.3'], 'refused');
  });

  it('finds versions behind a server that cannot stand a newer one', async () => {
    const server = await start({ versions: [0x0301], suites: [RSA_AES128_SHA], refusal: 'reset' });
    const report = await scan(server);
    assert.equal(report.protocols.TLSv1, 'offered');
  });

  describe('that are silent to a hello for TLS 1.1, and take an uncommon suite in TLS 1.0', () => {
    const TLS10 = 0x0301;
    const TLS11 = 0x0302;
    const scripted = (silentTo: (hello: SeenHello) => boolean): Promise<ScriptedTls> =>
      start({ versions: [TLS10, TLS12], suites: [ECDHE_RSA_AES128_GCM, RSA_NULL_SHA], silentTo });

    it('finds the version: a refusal of common suites is none of the version', async () => {
      const report = await scan(await scripted(({ version }) => version === TLS11), { timeoutMs: 150 });
      assert.equal(report.protocols.TLSv1, 'offered');
      assert.equal(check(report, 'tls10').verdict, 'vulnerable');
      assert.equal(check(report, 'null-cipher').verdict, 'vulnerable');
    });

    it('cannot tell of the version where the hello with all suites is not answered', async () => {
      const silentTo = ({ version, suites }: SeenHello): boolean =>
        version === TLS11 || (version === TLS10 && suites.length > 60);
      const report = await scan(await scripted(silentTo), { timeoutMs: 150 });
      assert.equal(report.protocols.TLSv1, 'cannot-tell');
      assert.equal(check(report, 'tls10').verdict, 'cannot-tell');
    });
  });

  it('finds a version by uncommon suites also where nothing newer was answered', async () => {
    const silentTo = ({ version }: SeenHello): boolean => version === TLS12;
    const server = await start({ versions: [0x0301], suites: [RSA_NULL_SHA], silentTo });
    const report = await scan(server, { timeoutMs: 150 });
    assert.equal(report.protocols.TLSv1, 'offered');
    assert.equal(check(report, 'null-cipher').verdict, 'vulnerable');
  });

  for (const [what, script, protocol] of [
    ['TLS 1.0', { versions: [0x0301], suites: [RSA_AES128_SHA] }, 'TLSv1'],
    ['TLS 1.3', { versions: [0x0304], suites: [0x1301] }, 'TLSv1.3'],
    ['SSLv2', { versions: [], sslv2Kinds: ['010080'] }, 'SSLv2'],
  ] satisfies [string, Partial<Script>, Protocol][]) {
    it(`finds ${what} alone where the common hello is not answered`, async () => {
      const silentTo = ({ isSslv2, version, extensions }: SeenHello): boolean =>
        !isSslv2 && version === TLS12 && !extensions.includes(43);
      const report = await scan(await start({ ...script, silentTo }), { timeoutMs: 150 });
      assert.equal(report.protocols[protocol], 'offered');
      assert.equal(report.protocols['TLSv1.2'], 'cannot-tell');
    });
  }

  it('takes a suite that was not offered for no: some servers compare half a code point', async () => {
    const report = await scan(await start({ suites: [RSA_AES128_SHA], isStubborn: true }));
    assert.equal(report.status, 'scanned');
    assert.deepEqual(suitesOf(report, 'TLSv1.2'), ['TLS_RSA_WITH_AES_128_CBC_SHA']);
    assert.equal(check(report, 'rc4').verdict, 'ok');
  });

  it('does not take a suite that does not exist for an answer', async () => {
    const report = await scan(await start({ suites: [0xffff] }));
    assert.equal(report.status, 'unreachable');
  });
});
