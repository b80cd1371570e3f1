import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { CheckId } from '../../lib/model/checks';
import type { EndpointReport } from '../../lib/model/report';
import { issue, makeCa, type Ca, type CertificateOptions, type IssuedCertificate } from '../lab/certificates';
import { startHealthy, type LabServer } from '../lab/tls-servers';
import { check, idsWith, scan } from './scan-support';

const DOMAIN = 'a.shop.example';
const DAY_MS = 24 * 60 * 60 * 1000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

describe('the checks of a certificate', () => {
  let ca: Ca;
  let server: LabServer | null = null;
  before(async () => {
    ca = await makeCa('Probe Root');
  });
  afterEach(async () => {
    await server?.close();
    server = null;
  });

  async function look(
    options: CertificateOptions,
    { issuer = ca, trusted = [ca.cert] }: { issuer?: Ca | null; trusted?: string[] } = {},
  ): Promise<EndpointReport> {
    const issued = await issue(issuer, { commonName: DOMAIN, dns: [DOMAIN], ...options });
    server = await startHealthy({ ...issued, ciphers: 'ECDHE+AESGCM:@SECLEVEL=0' });
    return scan(server, { domain: DOMAIN, ca: trusted });
  }

  for (const [what, options, found, reason] of [
    ['a good one', {}, [], undefined],
    ['one that expired', { notBefore: inDays(-90), notAfter: inDays(-1) }, ['expired'], 'CERT_HAS_EXPIRED'],
    ['one of tomorrow', { notBefore: inDays(1) }, ['not-yet-valid'], 'CERT_NOT_YET_VALID'],
    ['one for another name', { dns: ['b.example'] }, ['name-mismatch'], undefined],
    ['one with the name as common name only', { dns: [] }, ['name-mismatch'], undefined],
    ['a wildcard that fits', { dns: ['*.shop.example'] }, [], undefined],
    ['a wildcard one level too high', { dns: ['*.a.shop.example'] }, ['name-mismatch'], undefined],
    ['one signed with SHA-1', { signature: 'sha1' }, ['weak-signature'], undefined],
    ['one with RSA 1024', { keyType: 'rsa1024' }, ['weak-key'], undefined],
    ['one that asks for stapling', { ocspMustStaple: true }, ['must-staple'], undefined],
    ['one with an EC key', { keyType: 'ec256' }, [], undefined],
  ] as [string, CertificateOptions, CheckId[], string | undefined][]) {
    it(`judge ${what}`, async () => {
      const report = await look(options);
      assert.equal(report.status, 'scanned');
      assert.deepEqual(idsWith(report, 'vulnerable'), found);
      assert.deepEqual(idsWith(report, 'cannot-tell'), []);
      assert.equal(report.stages.trust.reason, reason);
    });
  }

  it('say which certificate it is and since when', async () => {
    const notAfter = new Date('2026-01-31T12:00:00Z');
    const report = await look({ notBefore: inDays(-900), notAfter, serialNumber: '4A01', keyType: 'ec256' });
    assert.equal(
      check(report, 'expired').detail,
      'The certificate a.shop.example (EC, serial number 4A01) expired at 2026-01-31T12:00:00.000Z.',
    );
  });

  it('judge a self-signed one, and not one that the settings trust', async () => {
    const report = await look({}, { issuer: null });
    assert.deepEqual(idsWith(report, 'vulnerable'), ['self-signed', 'untrusted']);
    assert.equal(report.stages.trust.reason, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    await server?.close();
    const issued = await issue(null, { commonName: DOMAIN, dns: [DOMAIN] });
    server = await startHealthy(issued);
    const trusted = await scan(server, { domain: DOMAIN, ca: [issued.cert] });
    assert.deepEqual(idsWith(trusted, 'vulnerable'), []);
    assert.equal(trusted.stages.trust.status, 'ok');
  });

  it('judge one of an authority that nobody trusts', async () => {
    const report = await look({}, { trusted: [] });
    assert.deepEqual(idsWith(report, 'vulnerable'), ['untrusted']);
    assert.match(check(report, 'untrusted').detail ?? '', /Probe Root/);
    assert.equal(report.stages.trust.status, 'failed');
  });

  for (const minVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`see what is stapled, and that it is no OCSP answer, from ${minVersion} on`, async () => {
      const issued = await issue(ca, { commonName: DOMAIN, dns: [DOMAIN], ocspMustStaple: true });
      const stapling = tls.createServer({ ...issued, minVersion, ciphers: 'ECDHE+AESGCM:TLS_AES_128_GCM_SHA256' });
      stapling.on('OCSPRequest', (_certificate, _issuer, answer: (error: null, response: Buffer) => void) =>
        answer(null, Buffer.from('any answer will do')),
      );
      stapling.on('tlsClientError', () => {});
      stapling.listen(0, '127.0.0.1');
      await once(stapling, 'listening');
      try {
        const { port } = stapling.address() as AddressInfo;
        const report = await scan({ host: '127.0.0.1', port }, { domain: DOMAIN, ca: [ca.cert] });
        assert.equal(check(report, 'must-staple').verdict, 'vulnerable');
        assert.doesNotMatch(check(report, 'must-staple').detail ?? '', /none was sent/);
      } finally {
        stapling.close();
      }
    });
  }

  it('name the one certificate of two that it is about, and none where both are', async () => {
    const options = { commonName: DOMAIN, dns: ['b.example'] };
    const [rsa, ec] = await Promise.all([
      issue(ca, { ...options, keyType: 'rsa1024', ocspMustStaple: true }),
      issue(ca, { ...options, keyType: 'ec256', notBefore: inDays(-90), notAfter: inDays(-1) }),
    ]);
    const both = { cert: [ec.cert, rsa.cert], key: [ec.key, rsa.key] } as unknown as IssuedCertificate;
    server = await startHealthy({ ...both, ciphers: 'ECDHE+AESGCM:@SECLEVEL=0' });
    const report = await scan(server, { domain: DOMAIN, ca: [ca.cert] });
    const named = (['weak-key', 'must-staple', 'expired', 'name-mismatch'] as const).map(id => {
      const { verdict, fingerprint256 } = check(report, id);
      return [id, verdict, fingerprint256];
    });
    assert.deepEqual(named, [
      ['weak-key', 'vulnerable', new X509Certificate(rsa.cert).fingerprint256],
      ['must-staple', 'vulnerable', new X509Certificate(rsa.cert).fingerprint256],
      ['expired', 'vulnerable', new X509Certificate(ec.cert).fingerprint256],
      ['name-mismatch', 'vulnerable', undefined],
    ]);
    assert.equal('fingerprint256' in check(report, 'weak-signature'), false);
  });

  it('find stapling not applicable where the certificate does not ask for it', async () => {
    assert.equal(check(await look({}), 'must-staple').verdict, 'not-applicable');
  });
});
