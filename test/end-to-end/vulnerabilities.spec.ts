import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../../lib/model/report';
import type { TicketRecord } from '../../lib/model/ticket';
import { issue, makeCa, type Ca } from '../lab/certificates';
import { Forwarder } from '../lab/forwarder';
import { installOldServers, type Installed, type OldServerOptions } from '../lab/old-servers';
import { issueLab, ocspAnswer, revocationList, startHttp, type LabCertificate } from '../lab/revocation';
import { startHealthy, startOdd, startTls, startWeak, type LabServer } from '../lab/tls-servers';
import { straightFlow } from '../support/flows';
import { inDays } from '../support/lab-ca';
import { Runtime } from '../support/runtime';
import { skip } from '../support/skip';
import { waitFor } from '../support/wait';

const REVOKED = { revokedAt: new Date('2026-01-02T03:04:05Z'), reason: 1 };
const NOT_AFTER = new Date('2038-01-09T12:00:00Z');
const DATE = 'Jan 9, 2038';

describe('from weakness to ticket', function () {
  this.timeout(60_000);
  let runtime: Runtime;
  let old: Installed;
  let ca: Ca;
  let revoking: LabCertificate;
  const open: { close(): Promise<void> }[] = [];
  async function up<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    open.push(server);
    return server;
  }

  before(async function () {
    this.timeout(600_000); // the first time they are downloaded
    const installed = await installOldServers('small');
    if ('skipped' in installed) skip(this, installed.skipped);
    old = installed;
    ca = await makeCa('CertDesk Lab CA');
    revoking = issueLab(null, { commonName: 'Revoking CA', role: 'authority' });
  });
  beforeEach(async () => {
    runtime = await Runtime.start();
    await writeFile(join(runtime.userDir, 'ca.pem'), `${ca.cert}${revoking.cert}`);
  });
  afterEach(async () => {
    await runtime.stop();
    await Promise.all(open.splice(0).map(server => server.close()));
  });

  async function deploy(targets: string[], options: { scan?: object; ticket?: object } = {}): Promise<void> {
    const flow = straightFlow({
      ca: join(runtime.userDir, 'ca.pem'),
      targets: targets.join('\n'),
      scan: options.scan ?? {},
      policy: { frequency: 'every-run' },
      ticket: { id: 'ticket', type: 'certdesk-ticket-local', ...options.ticket },
      baseUrl: 'https://node-red.example:1880',
    });
    await runtime.deploy(flow);
  }

  async function run(): Promise<RunSummary> {
    runtime.forget();
    runtime.send('scan', {});
    const [ended] = await runtime.until('runs', 1, 40_000);
    await runtime.untilQuiet();
    assert.deepEqual(runtime.messages('errors'), []);
    return ended?.payload as RunSummary;
  }
  const records = (): TicketRecord[] => runtime.messages('records').map(message => message.payload as TicketRecord);
  const subjects = (): string[] =>
    records()
      .map(record => record.subject)
      .toSorted();
  async function ticket(subject: string): Promise<TicketRecord & { body: string; notes: { text: string }[] }> {
    const { body } = await runtime.admin<{ items: TicketRecord[] }>('get', '/certdesk/base/tickets');
    const found = body.items.find(item => item.subject === subject);
    assert.ok(found, `${subject}: ${body.items.map(item => item.subject).join(', ')}`);
    return (await runtime.admin<never>('get', `/certdesk/base/tickets/${found.key}`)).body;
  }
  /** The block of the ticket's text, its scan time checked and left out, and the ids of the checks that it gives advice on. */
  async function text(subject: string): Promise<{ block: string[]; advice: string[] }> {
    const [block = '', ...more] = (await ticket(subject)).body.split('\n\n');
    const lines = block.split('\n');
    const time = lines.findIndex(line => /^Scan Time: [A-Z][a-z]{2} \d{1,2}, \d{4} \d\d:\d\d UTC$/.test(line));
    assert.equal(time, lines.length - 2, block);
    lines.splice(time, 1);
    const advice = more.flatMap(part => part.split('\n')).map(line => line.split(':', 1)[0] ?? '');
    return { block: lines, advice };
  }

  const rsa = (commonName: string): Promise<{ cert: string; key: string }> =>
    issue(ca, { commonName, dns: [commonName], notBefore: inDays(-1), notAfter: NOT_AFTER });
  const startOld = async (version: string, name: string, options: Partial<OldServerOptions>): Promise<string> => {
    const { cert, key } = await rsa(name);
    return `${name}@127.0.0.1:${(await up(old.start(version, { cert, key, ...options }))).port}`;
  };
  const SCANNED_BY = 'Scanned by: CertDesk running at https://node-red.example:1880';

  it('names signature algorithm and expiry date for Heartbleed, revocation and POODLE, and not for others', async () => {
    const [ocspSerial, crlSerial] = ['4f01', '4f02'] as const;
    const http = await up(
      startHttp(({ url }) => {
        if (url === '/crl') return revocationList({ issuer: revoking, entries: [{ serial: crlSerial }] });
        return ocspAnswer({ issuer: revoking, singles: [{ serial: ocspSerial, status: REVOKED }] });
      }),
    );
    const byOcsp = issueLab(revoking, {
      commonName: 'ocsp.example',
      serial: ocspSerial,
      ocsp: [`${http.url}/ocsp`],
      notAfter: NOT_AFTER,
    });
    const byCrl = issueLab(revoking, {
      commonName: 'crl.example',
      serial: crlSerial,
      crl: [`${http.url}/crl`],
      notAfter: NOT_AFTER,
      keyKind: 'rsa',
    });
    await deploy([
      await startOld('0.10.0', 'heartbleed.example', { ciphers: 'AES256-SHA:AES128-SHA', without: ['SSLv3'] }),
      `ocsp.example@127.0.0.1:${(await up(startHealthy(byOcsp))).port}`,
      `crl.example@127.0.0.1:${(await up(startHealthy(byCrl))).port}`,
      await startOld('0.10.48', 'poodle.example', { ciphers: 'RC4-SHA:AES128-SHA', flags: ['--enable-ssl3'] }),
      await startOld('0.10.48', 'sslv3.example', { ciphers: 'RC4-SHA', flags: ['--enable-ssl3'] }),
    ]);
    await run();

    const names = ['crl', 'heartbleed', 'ocsp', 'poodle', 'sslv3'];
    assert.deepEqual(
      subjects(),
      names.map(name => `Vulnerabilities for ${name}.example`),
    );
    for (const { action, priority } of records()) assert.deepEqual([action, priority], ['created', 'High']);
    const texts = new Map(
      await Promise.all(names.map(async name => [name, await text(`Vulnerabilities for ${name}.example`)] as const)),
    );
    assert.deepEqual(texts.get('heartbleed')?.block, [
      'heartbleed.example',
      'heartbleed.example',
      '127.0.0.1',
      'Weak ciphers in use, which should be removed',
      'TLS_RSA_WITH_AES_128_CBC_SHA',
      'TLS_RSA_WITH_AES_256_CBC_SHA',
      'Signature Algorithm: sha256WithRSAEncryption',
      `Expiry Date: ${DATE}`,
      SCANNED_BY,
    ]);
    assert.deepEqual(texts.get('ocsp')?.block, [
      'ocsp.example',
      'ocsp.example',
      '127.0.0.1',
      'Signature Algorithm: ecdsa-with-SHA256',
      `Expiry Date: ${DATE}`,
      SCANNED_BY,
    ]);
    assert.deepEqual(texts.get('crl')?.block, [
      'crl.example',
      'crl.example',
      '127.0.0.1',
      'Signature Algorithm: ecdsa-with-SHA256',
      `Expiry Date: ${DATE}`,
      SCANNED_BY,
    ]);
    assert.deepEqual(texts.get('poodle')?.block, [
      'poodle.example',
      'poodle.example',
      '127.0.0.1',
      'Weak ciphers in use, which should be removed',
      'TLS_RSA_WITH_RC4_128_SHA',
      'TLS_RSA_WITH_AES_128_CBC_SHA',
      'Signature Algorithm: sha256WithRSAEncryption',
      `Expiry Date: ${DATE}`,
      SCANNED_BY,
    ]);
    assert.deepEqual(texts.get('sslv3')?.block, [
      'sslv3.example',
      'sslv3.example',
      '127.0.0.1',
      'Weak ciphers in use, which should be removed',
      'TLS_RSA_WITH_RC4_128_SHA',
      SCANNED_BY,
    ]);
    const advice = (name: string, ...ids: string[]): void => {
      for (const id of ids) assert.ok(texts.get(name)?.advice.includes(id), `${name}: ${id}`);
    };
    assert.deepEqual(texts.get('ocsp')?.advice, ['revoked-ocsp']);
    assert.deepEqual(texts.get('crl')?.advice, ['revoked-crl']);
    advice('heartbleed', 'heartbleed', 'ccs-injection');
    advice('poodle', 'poodle-ssl', 'sslv3', 'rc4');
    advice('sslv3', 'sslv3', 'rc4');
    assert.ok(!texts.get('sslv3')?.advice.includes('poodle-ssl'));
  });

  it('leaves a ticket as it is while its server refuses, says nothing or can’t be judged, and resolves it when mended', async () => {
    const certificate = await rsa('gone.example');
    const weak = await up(startWeak(certificate));
    const healthy = await up(startHealthy(certificate));
    const gate = await Forwarder.start(`http://127.0.0.1:${weak.port}`);
    open.push({ close: () => gate.down() });
    await deploy([`gone.example@127.0.0.1:${new URL(gate.url).port}`], {
      scan: { timeoutMs: '700' },
      ticket: { onCleared: 'resolve' },
    });
    const subject = 'Vulnerabilities for gone.example';
    assert.equal((await run()).vulnerable, 1);
    assert.deepEqual(subjects(), [subject]);
    const before = await ticket(subject);
    assert.equal(before.status, 'Open');

    const standing = async (): Promise<void> => {
      const states = runtime.messages('told').map(message => (message.payload as { state: string }).state);
      assert.deepEqual(states, ['unknown']);
      const { status, notes, clearedAt } = await ticket(subject);
      assert.deepEqual([status, notes, clearedAt], ['Open', before.notes, undefined]);
    };
    await gate.down();
    assert.deepEqual(
      (await run()).unreachableEndpoints.map(({ reason }) => reason),
      ['ECONNREFUSED'],
    );
    await standing();
    await gate.up();
    gate.only(0);
    assert.deepEqual(
      (await run()).unreachableEndpoints.map(({ reason }) => reason),
      ['TIMEOUT'],
    );
    await standing();
    gate.to(healthy);
    gate.only(1); // the certificate, and nothing else
    assert.equal((await run()).partial, 1);
    await standing();

    gate.only(Infinity);
    await run();
    const { status, notes } = await ticket(subject);
    assert.equal(status, 'Resolved');
    assert.match(
      notes.at(-1)?.text ?? '',
      /^Nothing of what was reported is found any more at gone\.example@127\.0\.0\.1\./,
    );
  });

  describe('one Finding per', () => {
    for (const [findingPer, count] of [
      ['certificate-and-place', 2],
      ['place', 1],
      ['place-and-port', 3],
    ] as const) {
      it(`${findingPer}: three ports with two certificates make ${count}`, async () => {
        const [one, two] = await Promise.all([rsa('three.example'), rsa('three.example')]);
        const servers = await Promise.all([one, one, two].map(pair => up(startWeak(pair))));
        await deploy([`three.example@127.0.0.1:${servers.map(({ port }) => port).join()}`], { scan: { findingPer } });
        await run();
        assert.deepEqual(
          subjects(),
          Array.from({ length: count }, () => 'Vulnerabilities for three.example'),
        );
        const ports = records().flatMap(({ endpoints }) => endpoints.map(({ port }) => port));
        assert.deepEqual(ports.toSorted(), servers.map(({ port }) => port).toSorted());
        await run();
        assert.deepEqual(
          records().map(({ action }) => action),
          Array.from({ length: count }, () => 'updated'),
        );
      });
    }
  });

  describe('weak from', () => {
    for (const [weakFrom, found] of [
      ['insecure', ['insecure']],
      ['no-forward-secrecy', ['insecure', 'static']],
      ['weak', ['cbc', 'insecure', 'static']],
    ] as const) {
      it(`${weakFrom}: ${found.join(', ')}`, async () => {
        const start = async (name: string, ciphers: string): Promise<string> => {
          const server = await up(
            startTls({ ...(await rsa(`${name}.example`)), ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
          );
          return `${name}.example@127.0.0.1:${server.port}`;
        };
        await deploy(
          [
            await start('insecure', 'NULL-SHA256:ECDHE-RSA-AES128-SHA256:@SECLEVEL=0'),
            await start('static', 'AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256'),
            await start('cbc', 'ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256'),
            await start('healthy', 'ECDHE-RSA-AES128-GCM-SHA256'),
          ],
          { scan: { weakFrom } },
        );
        await run();
        assert.deepEqual(
          subjects(),
          found.map(name => `Vulnerabilities for ${name}.example`),
        );
        // what makes the Finding is one thing; what it lists is every weak suite and no healthy one
        assert.deepEqual((await text('Vulnerabilities for insecure.example')).block.slice(3, -1), [
          'Weak ciphers in use, which should be removed',
          'TLS_RSA_WITH_NULL_SHA256',
          'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
        ]);
      });
    }
  });

  it('opens a ticket for an IPv6 address', async () => {
    const server = await up(startWeak({ ...(await rsa('six.example')), host: '::1' }));
    await deploy([`six.example@[::1]:${server.port}`]);
    await run();
    assert.deepEqual(subjects(), ['Vulnerabilities for six.example']);
    assert.deepEqual(records()[0]?.ip, '::1');
    assert.deepEqual((await text('Vulnerabilities for six.example')).block.slice(0, 3), [
      'six.example',
      'six.example',
      '::1',
    ]);
  });

  it('stops fifty waiting scans in a thirtieth of their time-out, and leaves no socket', async () => {
    const timeoutMs = 30_000;
    const silent: LabServer[] = await Promise.all(Array.from({ length: 10 }, () => up(startOdd('silent'))));
    const targets = silent.flatMap(({ port }) =>
      Array.from({ length: 5 }, (_, n) => `n${n}.example@127.0.0.1:${port}`),
    );
    await deploy(targets, { scan: { timeoutMs: String(timeoutMs), perHost: '100' } });
    runtime.send('scan', {});
    const sum = (): number => silent.reduce((all, { openConnections }) => all + openConnections, 0);
    await waitFor(
      () => sum() >= 50,
      10_000,
      () => `fifty connections, there are ${sum()}`,
    );
    const stoppedAt = Date.now();
    runtime.send('scan', { stop: true });
    const [ended] = await runtime.until('runs', 1);
    await waitFor(
      () => sum() === 0,
      10_000,
      () => `no socket, there are ${sum()}`,
    );
    assert.ok(Date.now() - stoppedAt <= timeoutMs / 30, `${Date.now() - stoppedAt} ms`);
    assert.equal((ended?.payload as RunSummary).stopped, true);
    assert.equal((ended?.payload as RunSummary).unreachableEndpoints.length, 50);
  });
});
