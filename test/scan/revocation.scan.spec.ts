import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { CheckId } from '../../lib/model/checks';
import type { Check } from '../../lib/model/report';
import {
  inHours,
  issueLab,
  ocspAnswer,
  ocspError,
  revocationList,
  startHttp,
  type LabCertificate,
  type LabCertificateOptions,
  type OcspSingle,
} from '../lab/revocation';
import { closedPort, startHealthy, startOdd, type LabServer } from '../lab/tls-servers';
import { waitFor } from '../support/wait';
import { check, scan } from './scan-support';

const DOMAIN = 'a.example';
const REVOKED = { revokedAt: new Date('2026-01-02T03:04:05Z'), reason: 1 };
const CHECKS: CheckId[] = ['revoked-ocsp', 'revoked-crl', 'must-staple'];

describe('revocation, as a scan sees it', function () {
  this.timeout(30_000);
  const ca = issueLab(null, { commonName: 'Scan Root', role: 'authority' });
  const stranger = issueLab(null, { commonName: 'Strange Root', role: 'authority' });
  const open: { close(): Promise<void> }[] = [];
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  async function up<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    open.push(server);
    return server;
  }

  const issue = (options: Partial<LabCertificateOptions> = {}, issuer = ca): LabCertificate =>
    issueLab(issuer, { commonName: DOMAIN, ...options });
  const answerFor = (leaf: LabCertificate, single: Partial<OcspSingle> = {}, signer = ca): Buffer =>
    ocspAnswer({ issuer: ca, singles: [{ serial: leaf.serial, ...single }], signer });

  /** A TLS server that staples; without a staple it is asked for one and has none. */
  async function stapling(
    leaf: LabCertificate | LabCertificate[],
    staple: Buffer | null,
    options: tls.TlsOptions = {},
  ): Promise<{ host: string; port: number }> {
    const leaves = [leaf].flat();
    const server = tls.createServer({
      cert: leaves.map(one => one.cert),
      key: leaves.map(one => one.key),
      minVersion: 'TLSv1.2',
      ...options,
    });
    server.on('OCSPRequest', (_certificate, _issuer, answer: (error: null, response: Buffer | null) => void) =>
      answer(null, staple),
    );
    server.on('tlsClientError', () => {});
    server.on('secureConnection', socket => socket.on('error', () => {}).resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push({ close: async () => void server.close() });
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  async function look(
    server: { host: string; port: number },
    id: CheckId,
    { trusted = [ca.cert], timeoutMs = 2000 } = {},
  ): Promise<Check> {
    return check(await scan(server, { domain: DOMAIN, ca: trusted, checks: CHECKS, timeoutMs }), id);
  }

  const named = (leaf: LabCertificate): string =>
    `The certificate a.example (EC, serial number ${leaf.serial.toUpperCase()})`;

  describe('by OCSP', () => {
    it('takes a good staple for an answer, and asks nobody', async () => {
      const responder = await up(startHttp(500));
      const leaf = issue({ ocsp: [responder.url] });
      for (const minVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const server = await stapling(leaf, answerFor(leaf), { minVersion });
        const { verdict, detail } = await look(server, 'revoked-ocsp');
        assert.deepEqual(
          [verdict, detail],
          ['ok', `${named(leaf)} is good, says the OCSP answer stapled to it.`],
          minVersion,
        );
      }
      assert.equal(responder.requests.length, 0);
    });

    it('finds a certificate whose staple says revoked', async () => {
      const leaf = issue();
      const server = await stapling(leaf, answerFor(leaf, { status: REVOKED }));
      const { verdict, detail, fingerprint256 } = await look(server, 'revoked-ocsp');
      const why = 'revoked since 2026-01-02T03:04:05.000Z (its key was compromised)';
      assert.equal(verdict, 'vulnerable');
      assert.equal(detail, `${named(leaf)} is ${why}, says the OCSP answer stapled to it.`);
      assert.equal(fingerprint256, new X509Certificate(leaf.cert).fingerprint256);
    });

    it('finds one that its responder calls revoked', async () => {
      const holder: { leaf?: LabCertificate } = {};
      const responder = await up(
        startHttp(() => (holder.leaf === undefined ? 500 : answerFor(holder.leaf, { status: REVOKED }))),
      );
      const leaf = (holder.leaf = issue({ ocsp: [`${responder.url}/ocsp`] }));
      const { verdict, detail } = await look(await up(startHealthy(leaf)), 'revoked-ocsp');
      const host = responder.url.slice('http://'.length);
      const why = 'revoked since 2026-01-02T03:04:05.000Z (its key was compromised)';
      assert.equal(verdict, 'vulnerable');
      assert.equal(detail, `${named(leaf)} is ${why}, says the OCSP responder ${host}.`);
      const [request, ...more] = responder.requests;
      assert.deepEqual([request?.method, request?.url, more.length], ['POST', '/ocsp', 0]);
      assert.equal(request?.headers['content-type'], 'application/ocsp-request');
      assert.ok(request?.body.includes(Buffer.from(leaf.serial, 'hex')));
    });

    it('asks once for a certificate, however many servers have it, and counts no connection for it', async () => {
      const holder: { leaf?: LabCertificate } = {};
      const responder = await up(startHttp(() => (holder.leaf === undefined ? 500 : answerFor(holder.leaf))));
      const leaf = (holder.leaf = issue({ ocsp: [responder.url] }));
      const servers = await Promise.all(Array.from({ length: 5 }, () => up(startHealthy(leaf))));
      const reports = await Promise.all(
        [...servers, ...servers].map(server => scan(server, { domain: DOMAIN, ca: [ca.cert], checks: CHECKS })),
      );
      assert.deepEqual(new Set(reports.map(report => check(report, 'revoked-ocsp').verdict)), new Set(['ok']));
      assert.equal(responder.requests.length, 1);
      const counted = reports.reduce((sum, { connections }) => sum + connections, 0);
      assert.equal(
        counted,
        servers.reduce((sum, { connections }) => sum + connections, 0),
      );
    });

    for (const [reason, what, staple] of [
      ['it is malformed', 'malformed', () => Buffer.from('any answer will do')],
      ['it is for another certificate', 'another’s', () => answerFor(ca)],
      [
        'its signature does not fit',
        'forged',
        (leaf: LabCertificate) => answerFor(leaf, {}, { ...stranger, name: ca.name }),
      ],
      ['it says tryLater', 'no answer', () => ocspError(3)],
    ] as [string, string, (leaf: LabCertificate) => Buffer][]) {
      it(`asks the responder when the staple is ${what}, and says both when that fails`, async () => {
        const responder = await up(startHttp(({ url }) => (url === '/good' ? answerFor(good) : 503)));
        const good: LabCertificate = issue({ ocsp: [`${responder.url}/good`] });
        assert.equal((await look(await stapling(good, staple(good)), 'revoked-ocsp')).verdict, 'ok');
        const open = issue({ ocsp: [`${responder.url}/bad`] });
        const { verdict, detail } = await look(await stapling(open, staple(open)), 'revoked-ocsp');
        const host = responder.url.slice('http://'.length);
        assert.equal(verdict, 'cannot-tell');
        assert.equal(
          detail,
          `${named(open)} could not be judged by OCSP: the OCSP answer stapled to it does not count: ${reason}; ` +
            `the OCSP responder ${host} gave no answer that counts: it answered with HTTP status 503.`,
        );
      });
    }

    for (const [reason, what, answer] of [
      ['it says that the certificate is unknown', 'unknown', leaf => answerFor(leaf, { status: 'unknown' })],
      ['it says tryLater', 'tryLater', () => ocspError(3)],
      ['it is for another certificate', 'another serial number', () => answerFor(ca)],
      ['its signature does not fit', 'forged', leaf => answerFor(leaf, {}, { ...stranger, name: ca.name })],
      ['it answered with HTTP status 404', 'HTTP 404', () => 404],
      ['it answered with more than 65536 bytes', 'too large', () => Buffer.alloc(70_000)],
    ] as [string, string, (leaf: LabCertificate) => Buffer | number][]) {
      it(`cannot tell when the answer is ${what}`, async () => {
        const holder: { leaf?: LabCertificate } = {};
        const responder = await up(startHttp(() => (holder.leaf === undefined ? 500 : answer(holder.leaf))));
        const leaf = (holder.leaf = issue({ ocsp: [responder.url] }));
        const { verdict, detail } = await look(await up(startHealthy(leaf)), 'revoked-ocsp');
        assert.equal(verdict, 'cannot-tell');
        assert.ok(detail?.endsWith(`gave no answer that counts: ${reason}.`), detail);
      });
    }

    it('cannot tell when the responder is dead or silent, and asks the next one', async () => {
      const dead = `http://127.0.0.1:${await closedPort()}`;
      const silent = await up(startOdd('silent'));
      const refused = await look(await up(startHealthy(issue({ ocsp: [dead] }))), 'revoked-ocsp');
      assert.equal(refused.verdict, 'cannot-tell');
      assert.match(refused.detail ?? '', /cannot be reached \(ECONNREFUSED\)\.$/);
      const mute = issue({ ocsp: [`http://127.0.0.1:${silent.port}`] });
      const unanswered = await look(await up(startHealthy(mute)), 'revoked-ocsp', { timeoutMs: 500 });
      assert.match(unanswered.detail ?? '', /it did not answer in time\.$/);
      const holder: { leaf?: LabCertificate } = {};
      const alive = await up(startHttp(() => (holder.leaf === undefined ? 500 : answerFor(holder.leaf))));
      holder.leaf = issue({ ocsp: [dead, alive.url] });
      assert.equal((await look(await up(startHealthy(holder.leaf)), 'revoked-ocsp')).verdict, 'ok');
    });

    it('finds the issuer among what the server sent, on no trusted path, and cannot tell without it', async () => {
      const holder: { leaf?: LabCertificate } = {};
      const responder = await up(startHttp(() => (holder.leaf === undefined ? 500 : answerFor(holder.leaf))));
      const leaf = (holder.leaf = issue({ ocsp: [responder.url] }));
      const alone = await look(await up(startHealthy(leaf)), 'revoked-ocsp', { trusted: [] });
      assert.equal(alone.verdict, 'cannot-tell');
      assert.match(alone.detail ?? '', /was signed by an issuer whose certificate was not sent/);
      assert.equal(responder.requests.length, 0);
      const chained = await up(startHealthy({ cert: leaf.cert + ca.cert, key: leaf.key }));
      assert.equal((await look(chained, 'revoked-ocsp', { trusted: [] })).verdict, 'ok');
    });

    it('sends no password that a certificate names', async () => {
      const responder = await up(startHttp(500));
      const leaf = issue({ ocsp: [responder.url.replace('//', '//user:password@')] });
      assert.equal((await look(await up(startHealthy(leaf)), 'revoked-ocsp')).verdict, 'cannot-tell');
      assert.equal(responder.requests.length, 0);
    });

    it('is not applicable without responder and staple, and cannot tell by LDAP alone', async () => {
      assert.equal((await look(await up(startHealthy(issue())), 'revoked-ocsp')).verdict, 'not-applicable');
      const ldap = issue({ ocsp: ['ldap://127.0.0.1/ocsp'] });
      assert.equal((await look(await up(startHealthy(ldap)), 'revoked-ocsp')).verdict, 'cannot-tell');
    });

    it('judges each of two certificates, and names the revoked one', async () => {
      const holder: { rsa?: LabCertificate; ec?: LabCertificate } = {};
      const responder = await up(
        startHttp(({ url }) => {
          const { rsa, ec } = holder;
          if (rsa === undefined || ec === undefined) return 500;
          return url === '/rsa' ? answerFor(rsa) : answerFor(ec, { status: REVOKED });
        }),
      );
      const rsa = (holder.rsa = issue({ keyKind: 'rsa', ocsp: [`${responder.url}/rsa`] }));
      const ec = (holder.ec = issue({ ocsp: [`${responder.url}/ec`] }));
      const both = { cert: [rsa.cert, ec.cert], key: [rsa.key, ec.key] } as unknown as LabCertificate;
      const { verdict, fingerprint256 } = await look(await up(startHealthy(both)), 'revoked-ocsp');
      assert.equal(verdict, 'vulnerable');
      assert.equal(fingerprint256, new X509Certificate(ec.cert).fingerprint256);
    });

    it('goes by the proxy of the environment', async () => {
      const holder: { leaf?: LabCertificate } = {};
      const proxy = await up(startHttp(() => (holder.leaf === undefined ? 500 : answerFor(holder.leaf))));
      const leaf = (holder.leaf = issue({ ocsp: ['http://ocsp.example/'] }));
      const before = process.env['http_proxy'];
      try {
        process.env['http_proxy'] = proxy.url;
        assert.equal((await look(await up(startHealthy(leaf)), 'revoked-ocsp')).verdict, 'ok');
        assert.equal(proxy.requests[0]?.url, 'http://ocsp.example/');
      } finally {
        if (before === undefined) delete process.env['http_proxy'];
        else process.env['http_proxy'] = before;
      }
    });

    it('is stopped at once and leaves no socket behind', async () => {
      const responder = await up(startOdd('silent'));
      const leaf = issue({ ocsp: [`http://127.0.0.1:${responder.port}`], crl: [`http://127.0.0.1:${responder.port}`] });
      const server = await up(startHealthy(leaf));
      const stop = new AbortController();
      const settings = { domain: DOMAIN, ca: [ca.cert], checks: CHECKS, timeoutMs: 60_000 };
      const scanning = scan(server, { ...settings, signal: stop.signal });
      await waitFor(
        () => responder.openConnections === 2,
        5000,
        () => 'both requests',
      );
      stop.abort();
      assert.equal((await scanning).status, 'unreachable');
      await waitFor(
        () => responder.openConnections === 0,
        1000,
        () => 'the sockets to close',
      );
    });
  });

  describe('by revocation list', () => {
    it('tells revoked from not revoked, and fetches the list once for all', async () => {
      const holder: { list: Buffer } = { list: Buffer.of() };
      const publisher = await up(startHttp(() => holder.list));
      const crl = [`${publisher.url}/ca.crl`];
      const [good, bad] = [issue({ crl }), issue({ crl })];
      holder.list = revocationList({
        issuer: ca,
        entries: [{ serial: bad.serial, at: REVOKED.revokedAt, reason: 4 }, { serial: '01' }],
      });
      const [goodServer, badServer] = [await up(startHealthy(good)), await up(startHealthy(bad))];
      const all = await Promise.all([look(goodServer, 'revoked-crl'), look(badServer, 'revoked-crl')]);
      const host = publisher.url.slice('http://'.length);
      assert.deepEqual(
        all.map(({ verdict, detail }) => [verdict, detail]),
        [
          ['ok', `${named(good)} is not on the revocation list of ${host}.`],
          [
            'vulnerable',
            `${named(bad)} is revoked since 2026-01-02T03:04:05.000Z (it was superseded), ` +
              `says the revocation list of ${host}.`,
          ],
        ],
      );
      assert.equal(all[1]?.fingerprint256, new X509Certificate(bad.cert).fingerprint256);
      assert.equal((await look(badServer, 'revoked-crl')).verdict, 'vulnerable');
      assert.deepEqual(
        publisher.requests.map(({ method, url }) => [method, url]),
        [['GET', '/ca.crl']],
      );
    });

    it('cannot tell by a list that is oversized, expired, missing or of another signer, and tries the next place', async () => {
      const lists: Record<string, () => Buffer | number | ((response: ServerResponse) => void)> = {
        '/expired': () => revocationList({ issuer: ca, thisUpdate: inHours(-48), nextUpdate: inHours(-24) }),
        '/forged': () => revocationList({ issuer: ca, signer: stranger }),
        '/missing': () => 404,
        '/oversized': () => response => {
          response.on('error', () => {});
          response.writeHead(200, { 'Content-Length': 33 * 1024 * 1024 });
          for (let i = 0; i < 33; i += 1) response.write(Buffer.alloc(1024 * 1024));
          response.end();
        },
        '/good': () => revocationList({ issuer: ca }),
      };
      const publisher = await up(startHttp(({ url }) => lists[url]?.() ?? 500));
      const details = await Promise.all(
        ['expired', 'forged', 'missing', 'oversized'].map(async path => {
          const leaf = issue({ crl: [`${publisher.url}/${path}`] });
          const { verdict, detail } = await look(await up(startHealthy(leaf)), 'revoked-crl');
          return [path, verdict, detail?.replace(/^.*does not count: /, '')];
        }),
      );
      assert.match(details[0]?.[2] ?? '', /^it expired at /);
      assert.deepEqual(details.slice(1), [
        ['forged', 'cannot-tell', 'its signature does not fit.'],
        ['missing', 'cannot-tell', 'it answered with HTTP status 404.'],
        ['oversized', 'cannot-tell', 'it answered with more than 33554432 bytes.'],
      ]);
      assert.equal(details[0]?.[1], 'cannot-tell');
      const leaf = issue({ crl: [`${publisher.url}/missing`, `${publisher.url}/good`] });
      assert.equal((await look(await up(startHealthy(leaf)), 'revoked-crl')).verdict, 'ok');
      assert.equal(publisher.requests.filter(({ url }) => url === '/missing').length, 1);
    });

    it('is not applicable without a list, and cannot tell by LDAP alone or without the issuer', async () => {
      assert.equal((await look(await up(startHealthy(issue())), 'revoked-crl')).verdict, 'not-applicable');
      const ldap = await up(startHealthy(issue({ crl: ['ldap:///CN=list'] })));
      assert.equal((await look(ldap, 'revoked-crl')).verdict, 'cannot-tell');
      const alone = await up(startHealthy(issue({ crl: ['http://127.0.0.1:9/'] })));
      assert.equal((await look(alone, 'revoked-crl', { trusted: [] })).verdict, 'cannot-tell');
    });

    it('knocks at a dead server a few times for twenty certificates', async () => {
      const dead: LabServer = await up(startOdd('reset'));
      const crl = [`http://127.0.0.1:${dead.port}/`];
      const issuers = Array.from({ length: 20 }, () => issueLab(null, { commonName: 'Twin', role: 'authority' }));
      const verdicts = await Promise.all(
        issuers.map(async issuer => {
          const leaf = issue({ crl }, issuer);
          return (await look(await up(startHealthy(leaf)), 'revoked-crl', { trusted: [issuer.cert] })).verdict;
        }),
      );
      assert.deepEqual(new Set(verdicts), new Set(['cannot-tell']));
      assert.ok(dead.connections <= 7, `${dead.connections} connections`);
    });
  });

  describe('of a certificate that must be stapled', () => {
    for (const [verdict, what, staple] of [
      ['ok', 'with a good answer', leaf => answerFor(leaf)],
      ['ok', 'with one that says revoked', leaf => answerFor(leaf, { status: REVOKED })],
      ['vulnerable', 'with none', () => null],
      ['vulnerable', 'with garbage', () => Buffer.from('any answer will do')],
      ['vulnerable', 'with another’s', () => answerFor(ca)],
      [
        'vulnerable',
        'with an expired one',
        leaf => answerFor(leaf, { thisUpdate: inHours(-48), nextUpdate: inHours(-24) }),
      ],
      ['vulnerable', 'with a forged one', leaf => answerFor(leaf, {}, { ...stranger, name: ca.name })],
    ] as [Check['verdict'], string, (leaf: LabCertificate) => Buffer | null][]) {
      it(`says ${verdict} ${what}`, async () => {
        const leaf = issue({ isMustStaple: true });
        const found = await look(await stapling(leaf, staple(leaf)), 'must-staple');
        assert.equal(found.verdict, verdict, found.detail);
        const fingerprint = new X509Certificate(leaf.cert).fingerprint256;
        assert.equal(found.fingerprint256, verdict === 'vulnerable' ? fingerprint : undefined);
      });
    }

    it('says why the one that is stapled does not count', async () => {
      const leaf = issue({ isMustStaple: true });
      const { detail } = await look(await stapling(leaf, ocspError(3)), 'must-staple');
      const why = 'asks for a stapled OCSP answer, and the one sent does not count: it says tryLater';
      assert.equal(detail, `${named(leaf)} ${why}.`);
    });

    it('cannot tell without the issuer whether the staple counts, and is not applicable to others', async () => {
      const leaf = issue({ isMustStaple: true });
      const server = await stapling(leaf, answerFor(leaf));
      assert.equal((await look(server, 'must-staple', { trusted: [] })).verdict, 'cannot-tell');
      assert.equal((await look(await stapling(issue(), null), 'must-staple')).verdict, 'not-applicable');
    });
  });
});
