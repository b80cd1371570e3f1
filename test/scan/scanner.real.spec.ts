import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls, { type SecureVersion } from 'node:tls';
import sinon from 'sinon';
import { CHECK_IDS } from '../../lib/model/checks';
import { paddingOracle20162107 } from '../../lib/scan/probes/padding-oracle-2016-2107';
import type { ScanSettings } from '../../lib/scan/settings';
import { issue, makeCa, type Ca, type IssuedCertificate } from '../lab/certificates';
import { startHealthy, startScripted, startTls, startWeak, type LabServer } from '../lab/tls-servers';
import { skip } from '../support/skip';
import { check, idsWith, scan, suitesOf } from './scan-support';

/** What a flow with default settings tells of, as far as these tests need it. */
const TOLD: ScanSettings['completeFor'] = { findings: ['null-cipher'], weakFrom: 'insecure' };
/** Left out of profile quick. */
const FULL_ONLY = ['client-renegotiation', 'no-fallback-scsv', 'ticketbleed', 'no-post-quantum'];
/** ed25519, ed448 and then rsa_pkcs1_sha256 at once, no RSA-PSS between (RFC 8446 section 4.2.3). */
const NO_RSA_PSS = Buffer.from('080708080401', 'hex');
const EVERYTHING = {
  minVersion: 'TLSv1',
  ciphers: 'ALL:COMPLEMENTOFALL:eNULL:aNULL:@SECLEVEL=0',
  dhparam: 'auto',
} as const;

describe('scanEndpoint against node:tls', function () {
  this.timeout(60_000);
  const open: LabServer[] = [];
  let ca: Ca;
  let rsa: IssuedCertificate;
  let ec: IssuedCertificate;
  before(async () => {
    ca = await makeCa('Scanner Root');
    rsa = await issue(ca, { commonName: 'a.example', dns: ['a.example'], ip: ['127.0.0.1'] });
    ec = await issue(ca, { commonName: 'a.example', dns: ['a.example'], keyType: 'ec256' });
  });
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  async function up(starting: Promise<LabServer>): Promise<LabServer> {
    const server = await starting;
    open.push(server);
    return server;
  }
  const trusted = (): { domain: string; ca: string[] } => ({ domain: 'a.example', ca: [ca.cert] });

  it('finds nothing wrong with a healthy server, in five connections', async () => {
    const server = await up(startHealthy(rsa));
    const report = await scan(server, trusted());
    assert.equal(report.status, 'scanned');
    assert.deepEqual(report.stages, {
      dns: { status: 'ok' },
      tcp: { status: 'ok' },
      starttls: { status: 'skipped' },
      handshake: { status: 'ok' },
      trust: { status: 'ok' },
    });
    assert.deepEqual(report.protocols, {
      SSLv2: 'refused',
      SSLv3: 'refused',
      TLSv1: 'refused',
      'TLSv1.1': 'refused',
      'TLSv1.2': 'offered',
      'TLSv1.3': 'offered',
    });
    assert.deepEqual(
      report.ciphers.filter(cipher => cipher.class === 'insecure' || cipher.class === 'weak'),
      [],
    );
    assert.deepEqual(idsWith(report, 'vulnerable'), []);
    assert.deepEqual(idsWith(report, 'cannot-tell'), []);
    assert.deepEqual(idsWith(report, 'skipped'), FULL_ONLY);
    assert.equal(report.certificate?.commonName, 'a.example');
    assert.deepEqual(
      report.chain.map(({ commonName }) => commonName),
      ['Scanner Root'],
    );
    assert.equal(report.connections, 5);
    assert.equal(server.connections, 5);
  });

  it('has every check once, in order, with its port and a sentence', async () => {
    const server = await up(startHealthy(rsa));
    const report = await scan(server, trusted());
    assert.deepEqual(
      report.checks.map(({ id }) => id),
      [...CHECK_IDS],
    );
    for (const one of report.checks) {
      assert.equal(one.port, server.port);
      if (one.verdict !== 'skipped') assert.match(one.detail ?? '', /^[A-Z].*\.$/s, one.id);
    }
  });

  it('makes only the checks that are asked for', async () => {
    const report = await scan(await up(startHealthy(rsa)), { ...trusted(), checks: ['expired', 'rc4'] });
    assert.deepEqual(
      report.checks.filter(({ verdict }) => verdict !== 'skipped').map(({ id }) => id),
      ['expired', 'rc4'],
    );
  });

  it('gets the certificate of a server that speaks TLS 1.3 alone', async () => {
    const report = await scan(await up(startTls({ ...rsa, minVersion: 'TLSv1.3' })), trusted());
    assert.equal(report.status, 'scanned');
    assert.deepEqual(
      Object.entries(report.protocols).filter(([, state]) => state === 'offered'),
      [['TLSv1.3', 'offered']],
    );
    assert.equal(report.certificate?.commonName, 'a.example');
    assert.equal(report.stages.trust.status, 'ok');
    assert.equal(check(report, 'crime').verdict, 'not-applicable');
    assert.equal(check(report, 'insecure-renegotiation').verdict, 'not-applicable');
  });

  it('sees both certificates of a server that speaks TLS 1.3 alone', async () => {
    const both = { cert: [rsa.cert, ec.cert], key: [rsa.key, ec.key] } as unknown as IssuedCertificate;
    const report = await scan(await up(startTls({ ...both, ca: undefined, minVersion: 'TLSv1.3' })), trusted());
    const seen = [report.certificate, ...report.otherCertificates].map(one => one?.keyType);
    assert.deepEqual(seen.toSorted(), ['EC', 'RSA']);
    assert.equal(report.status, 'scanned');
    assert.equal(report.certificatesComplete, undefined);
  });

  it('says that another certificate may be there when a server of TLS 1.3 alone does not answer the hello for it', async () => {
    const behind = await up(startTls({ ...rsa, minVersion: 'TLSv1.3' }));
    const front = startScripted(client =>
      client.once('data', hello => {
        if (hello.includes(NO_RSA_PSS)) return client.resume();
        const server = net.connect(behind).on('error', () => client.destroy());
        client.on('close', () => server.destroy());
        server.write(hello);
        return client.pipe(server).pipe(client);
      }),
    );
    const report = await scan(await up(front), { ...trusted(), timeoutMs: 500 });
    assert.equal(report.certificate?.keyType, 'RSA');
    assert.equal(report.certificatesComplete, false);
    assert.equal(report.status, 'partial');
  });

  it('says that TLS 1.3 is missing', async () => {
    const report = await scan(await up(startHealthy({ ...rsa, maxVersion: 'TLSv1.2' })), trusted());
    assert.equal(report.protocols['TLSv1.3'], 'refused');
    assert.deepEqual(idsWith(report, 'vulnerable'), ['no-tls13']);
    assert.equal(report.connections, 5);
  });

  it('sees both certificates of a server that has two', async () => {
    const both = { cert: [rsa.cert, ec.cert], key: [rsa.key, ec.key] } as unknown as IssuedCertificate;
    const report = await scan(await up(startHealthy({ ...both, ca: undefined })), trusted());
    const seen = [report.certificate, ...report.otherCertificates].map(one => one?.keyType);
    assert.deepEqual(seen.toSorted(), ['EC', 'RSA']);
    assert.ok(report.connections <= 6);
  });

  it('sees the other certificate also where weak suites are found with the first one', async () => {
    const both = { cert: [rsa.cert, ec.cert], key: [rsa.key, ec.key] } as unknown as IssuedCertificate;
    const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256';
    const server = await up(startTls({ ...both, ca: undefined, ciphers, maxVersion: 'TLSv1.2' }));
    const report = await scan(server, trusted());
    assert.equal(report.certificate?.keyType, 'EC');
    assert.deepEqual(
      report.otherCertificates.map(({ keyType }) => keyType),
      ['RSA'],
    );
  });

  it('lists every weak suite of every version and keeps healthy ones apart', async () => {
    const report = await scan(await up(startWeak(rsa)), { ...trusted(), completeFor: TOLD });
    assert.deepEqual(suitesOf(report, 'TLSv1').toSorted(), [
      'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
      'TLS_RSA_WITH_AES_128_CBC_SHA',
      'TLS_RSA_WITH_AES_256_CBC_SHA',
      'TLS_RSA_WITH_NULL_SHA',
    ]);
    assert.deepEqual(suitesOf(report, 'TLSv1.1').toSorted(), suitesOf(report, 'TLSv1').toSorted());
    for (const id of ['tls10', 'tls11', 'null-cipher', 'cbc-beast', 'no-forward-secrecy'] as const) {
      assert.equal(check(report, id).verdict, 'vulnerable', id);
    }
    for (const id of ['rc4', 'des', 'sweet32', 'export-cipher', 'anonymous-cipher', 'freak', 'logjam'] as const) {
      assert.equal(check(report, id).verdict, 'ok', id);
    }
  });

  it('finds the same suites as a client that tries them one by one', async function () {
    const server = await up(startTls({ ...rsa, ...EVERYTHING }));
    const report = await scan(server, { ...trusted(), profile: 'full' });
    for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const) {
      const taken = await tryOneByOne(server, version);
      const found = new Set(suitesOf(report, version));
      assert.deepEqual(
        taken.filter(name => !found.has(name)),
        [],
        `${version} has suites that were missed`,
      );
    }
    // OpenSSL 3 with this cipher string: measured with other tools as well
    assert.equal(suitesOf(report, 'TLSv1').length, 20);
    assert.equal(suitesOf(report, 'TLSv1.1').length, 20);
    assert.equal(suitesOf(report, 'TLSv1.2').length, 61);
    // the server's own order, as Node.js documents its default cipher list
    assert.deepEqual(suitesOf(report, 'TLSv1.3'), [
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_AES_128_GCM_SHA256',
    ]);
  });

  it('finds the same weak suites in both profiles, and with few or many connections at once, where they are told', async () => {
    const server = await up(startTls({ ...rsa, ...EVERYTHING }));
    const weakOf = async (settings: { profile: 'quick' | 'full'; connections: number }): Promise<string[]> =>
      (await scan(server, { ...trusted(), ...settings, completeFor: TOLD })).ciphers
        .filter(cipher => cipher.class === 'insecure' || cipher.class === 'weak')
        .map(cipher => `${cipher.protocol} ${cipher.id}`)
        .toSorted();
    const full = await weakOf({ profile: 'full', connections: 1 });
    assert.equal(full.length, 20 + 20 + 61 - 5, 'five are ECDHE with AEAD: AES (2), ARIA (2), CHACHA20');
    assert.deepEqual(await weakOf({ profile: 'quick', connections: 4 }), full);
    assert.deepEqual(await weakOf({ profile: 'quick', connections: 16 }), full);
  });

  it('asks what a server may not recover from after everything else, lists included', async () => {
    const server = await up(startWeak(rsa));
    let openedBefore = 0;
    const ask = sinon.stub(paddingOracle20162107, 'ask').callsFake(({ line }) => {
      openedBefore = line.opened;
      return Promise.resolve({ verdict: 'ok', detail: 'a stand-in' });
    });
    try {
      const report = await scan(server, { ...trusted(), completeFor: TOLD });
      assert.equal(suitesOf(report, 'TLSv1').length, 4, 'the list is complete');
      assert.equal(report.connections, openedBefore);
    } finally {
      ask.restore();
    }
  });

  it('keeps to the connections it may have open at once', async () => {
    let now = 0;
    let most = 0;
    const server = await up(startTls({ ...rsa, ...EVERYTHING }));
    const relay = await up(
      startScripted(socket => {
        now += 1;
        most = Math.max(most, now);
        const onward = net.connect(server.port, server.host);
        socket.pipe(onward).pipe(socket);
        onward.on('error', () => socket.destroy());
        socket.on('close', () => {
          now -= 1;
          onward.destroy();
        });
      }),
    );
    await scan(relay, { ...trusted(), connections: 3 });
    assert.ok(most <= 3 + 1, `${most} at once`); // a reset may arrive after the next connection
  });

  it('compares a bare address with the addresses of the certificate', async () => {
    const fits = await scan(await up(startHealthy(rsa)), { ca: [ca.cert] });
    assert.equal(check(fits, 'name-mismatch').verdict, 'ok');
    const differs = await scan(await up(startHealthy({ ...rsa, host: '127.0.0.7' })), { ca: [ca.cert] });
    assert.equal(check(differs, 'name-mismatch').verdict, 'vulnerable');
  });

  it('scans IPv6', async function () {
    const server = await startHealthy({ ...rsa, host: '::1' }).catch(() => null);
    if (server === null) return skip(this, 'IPv6: this machine has no ::1');
    const report = await scan(await up(Promise.resolve(server)), trusted());
    assert.equal(report.status, 'scanned');
    assert.equal(report.endpoint.name, `a.example@[::1]:${server.port}`);
  });
});

/** IANA's names of the suites that node:tls can be made to agree on. */
async function tryOneByOne(server: LabServer, version: SecureVersion): Promise<string[]> {
  const taken: string[] = [];
  for (const name of tls.getCiphers().filter(one => !one.startsWith('tls_'))) {
    const { host, port } = server;
    const ciphers = `${name.toUpperCase()}:@SECLEVEL=0`;
    const socket = tls.connect({
      host,
      port,
      ciphers,
      minVersion: version,
      maxVersion: version,
      rejectUnauthorized: false,
    });
    const isTaken = await Promise.race([
      once(socket, 'secureConnect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    if (isTaken) taken.push(socket.getCipher().standardName);
    socket.destroy();
  }
  assert.ok(taken.length > 5);
  return taken;
}
