import assert from 'node:assert/strict';
import { makeEndpoint } from '../../lib/model/endpoint';
import type { EndpointReport } from '../../lib/model/report';
import { scanEndpoint } from '../../lib/scan/scanner';
import { DEFAULT_SCAN_SETTINGS } from '../../lib/scan/settings';
import { issue, makeCa, type Ca, type IssuedCertificate } from '../lab/certificates';
import {
  getStarttlsServer,
  startStarttlsServer,
  STARTTLS_SERVERS,
  type RunningServer,
  type StarttlsServerName,
} from '../lab/starttls-servers';
import { skip } from '../support/skip';

const IS_LONG = process.env.CERTDESK_LONG === '1';

describe('scanEndpoint against real servers that start TLS later', function () {
  this.timeout(15 * 60_000);
  let ca: Ca;
  let pair: IssuedCertificate;
  before(async () => {
    ca = await makeCa('Starttls Root');
    pair = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
  });

  for (const [name, { protocols }] of Object.entries(STARTTLS_SERVERS) as [
    StarttlsServerName,
    { protocols: readonly string[] },
  ][]) {
    describe(name, () => {
      let server: RunningServer | undefined;
      before(async function () {
        if (!IS_LONG) return skip(this, `${name}: real servers of STARTTLS are started only with CERTDESK_LONG=1`);
        const got = await getStarttlsServer(name, { mayInstall: IS_LONG });
        if ('skipped' in got) return skip(this, got.skipped);
        server = await startStarttlsServer(name, got.root, pair);
      });
      after(() => server?.close());

      for (const protocol of protocols) {
        it(`sees certificate and protocols behind ${protocol}`, async () => {
          assert.ok(server);
          const report = await scan(protocol, server.port(protocol), [ca.cert]);
          assert.deepEqual(report.stages, {
            dns: { status: 'ok' },
            tcp: { status: 'ok' },
            starttls: { status: 'ok' },
            handshake: { status: 'ok' },
            trust: { status: 'ok' },
          });
          assert.equal(report.status, 'scanned');
          assert.equal(report.certificate?.commonName, 'a.example');
          // which old versions are on is the server's own choice; those of today are everywhere
          assert.equal(report.protocols['TLSv1.2'], 'offered');
          assert.equal(report.protocols['TLSv1.3'], 'offered');
          assert.equal(report.protocols.SSLv2, 'refused');
        });
      }
    });
  }
});

function scan(starttls: string, port: number, ca: string[]): Promise<EndpointReport> {
  return scanEndpoint(
    makeEndpoint({ domain: 'a.example', ip: '127.0.0.1', port, starttls }),
    { ...DEFAULT_SCAN_SETTINGS, timeoutMs: 10_000, ca },
    { runId: 'run', connections: 4, signal: new AbortController().signal },
  );
}
