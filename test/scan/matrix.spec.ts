import assert from 'node:assert/strict';
import { CHECK_IDS } from '../../lib/model/checks';
import { PROTOCOLS, type EndpointReport } from '../../lib/model/report';
import { issue, makeCa } from '../lab/certificates';
import { installDebianTls, startDebian } from '../lab/debian-tls';
import { hasJava } from '../lab/java-tls';
import { installOldServers } from '../lab/old-servers';
import { skip } from '../support/skip';
import { CERTIFICATES, STAPLING } from './matrix/certificates';
import { DEBIAN as SERVERS } from './matrix/debian';
import { dhparam } from './matrix/dhparam';
import { expectCertificates, expectVerdicts, suitesFound } from './matrix/expect-row';
import { OLD_NODE } from './matrix/old-node';
import { JAVA } from './matrix/java';
import type { Lab, Row, Running } from './matrix/row';
import { TODAY } from './matrix/today';
import { idsWith, scan } from './scan-support';

const DEBIAN = [...SERVERS, ...STAPLING];
const isLong = process.env['CERTDESK_LONG'] === '1';
const wanted = ({ isLong: isForLong = false }: Row): boolean => isLong || !isForLong;
const INSTALL_TIMEOUT_MS = 15 * 60_000;
/** A shared machine may be slow; a server of the lab is never silent. */
const TIMEOUT_MS = 5000;

describe('the matrix: every server of the lab, every check', () => {
  let lab: Omit<Lab, 'old'>;
  before(async () => {
    const ca = await makeCa('Matrix Root');
    const names = { commonName: 'a.example', dns: ['a.example'] };
    const [rsa, ec] = await Promise.all([issue(ca, names), issue(ca, { ...names, keyType: 'ec256' })]);
    lab = { ca, rsa, ec, dhparam };
  });

  describe('the Node.js of today', () => {
    for (const row of TODAY.filter(wanted)) describeRow(row, () => ({ ...lab, old: noOldServers }));
  });

  describe('certificates', () => {
    for (const row of CERTIFICATES.filter(wanted)) describeRow(row, () => ({ ...lab, old: noOldServers }));
  });

  describe('old releases of Node.js', () => {
    let old: Lab['old'];
    before(async function () {
      this.timeout(INSTALL_TIMEOUT_MS);
      const installed = await installOldServers(isLong ? 'all' : 'small');
      if ('skipped' in installed) return skip(this, installed.skipped);
      old = installed;
    });
    for (const row of OLD_NODE.filter(wanted)) describeRow(row, () => ({ ...lab, old }));
  });

  describe('servers of Debian', () => {
    before(async function () {
      this.timeout(INSTALL_TIMEOUT_MS);
      const names = DEBIAN.filter(wanted).flatMap(({ debian }) => debian ?? []);
      const missing = await installDebianTls(names);
      if (missing !== null) skip(this, missing.skipped);
    });
    for (const row of DEBIAN.filter(wanted)) describeRow(row, () => ({ ...lab, old: noOldServers }));

    // nobody could tell: it speaks to those who know its name
    it('gives no all-clear of a server that was asked by the wrong name', async () => {
      const server = await startDebian('nginx-sni', { certs: [lab.rsa] });
      try {
        for (const domain of [null, 'b.example']) {
          const report = await scan(server, { profile: 'full', domain, ca: [lab.ca.cert], timeoutMs: TIMEOUT_MS });
          assert.equal(report.status, 'unreachable');
          assert.equal(report.stages.handshake.status, 'failed');
          assert.deepEqual(idsWith(report, 'cannot-tell'), [...CHECK_IDS]);
        }
      } finally {
        await server.close();
      }
    });
  });

  describe('Java', () => {
    before(function () {
      if (isLong && !hasJava()) skip(this, 'TLS servers: no Java here');
    });
    for (const row of JAVA.filter(wanted)) describeRow(row, () => ({ ...lab, old: noOldServers }));
  });
});

function describeRow(row: Row, labOf: () => Lab): void {
  describe(row.name, function () {
    this.timeout(60_000);
    let server: Running;
    let ca: string;
    before(async () => {
      const lab = labOf();
      ca = lab.ca.cert;
      server = await row.start(lab);
    });
    after(() => server?.close());

    const scanWith = (profile: 'quick' | 'full'): Promise<EndpointReport> =>
      scan(server, { profile, domain: 'a.example', ca: [ca], timeoutMs: TIMEOUT_MS });

    it('full: versions, suites and verdicts', async () => {
      const report = await scanWith('full');
      assert.equal(report.status, 'scanned');
      assert.deepEqual(suitesFound(report), row.suites);
      assert.deepEqual(
        PROTOCOLS.filter(protocol => report.protocols[protocol] === 'cannot-tell'),
        [],
      );
      expectCertificates(row, report);
      expectVerdicts(row, report, 'full');
    });

    it(`quick: the same verdicts, in ${row.most} connections at most`, async () => {
      const before = (await server.connections?.()) ?? 0;
      const report = await scanWith('quick');
      assert.equal(report.status, 'scanned');
      assert.deepEqual(Object.keys(suitesFound(report)), Object.keys(row.suites));
      expectCertificates(row, report);
      expectVerdicts(row, report, 'quick');
      if (server.connections) assert.equal((await server.connections()) - before, report.connections);
      assert.ok(report.connections <= row.most, `${report.connections} connections`);
    });
  });
}

/** Rows of other tables take none. */
const noOldServers = null as unknown as Lab['old'];
