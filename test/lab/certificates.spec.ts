import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { parseCertificate } from '../../lib/model/certificate';
import { issue, makeCa, type Ca } from './certificates';

describe('certificates for demo and lab', () => {
  let ca: Ca;
  before(async () => {
    ca = await makeCa('Lab Root');
  });

  it('makes a root that is a certificate authority', () => {
    const root = new X509Certificate(ca.cert);
    assert.equal(root.ca, true);
    assert.equal(root.subject, 'CN=Lab Root');
    assert.equal(root.verify(root.publicKey), true);
  });

  it('issues what was asked for', async () => {
    const notBefore = new Date('2026-01-01T00:00:00Z');
    const notAfter = new Date('2026-04-01T00:00:00Z');
    const { cert } = await issue(ca, {
      commonName: 'a.example',
      dns: ['a.example', '*.b.example'],
      ip: ['127.0.0.9', '::1'],
      notBefore,
      notAfter,
      serialNumber: 'F00D',
    });
    const seen = parseCertificate(cert);
    assert.equal(seen.commonName, 'a.example');
    assert.deepEqual(seen.subjectAltNames, ['a.example', '*.b.example', '127.0.0.9', '0:0:0:0:0:0:0:1']);
    assert.equal(seen.issuer, 'CN=Lab Root');
    assert.equal(seen.serialNumber, 'F00D');
    assert.equal(seen.notBefore, '2026-01-01T00:00:00.000Z');
    assert.equal(seen.notAfter, '2026-04-01T00:00:00.000Z');
    assert.equal(seen.signatureAlgorithm, 'sha256WithRSAEncryption');
    assert.equal(seen.keyBits, 2048);
    assert.equal(seen.selfSigned, false);
  });

  it('writes dates from 2050 on as GeneralizedTime', async () => {
    const notAfter = new Date('2061-05-06T07:08:09Z');
    const { cert } = await issue(ca, { commonName: 'late.example', keyType: 'ec256', notAfter });
    assert.equal(parseCertificate(cert).notAfter, '2061-05-06T07:08:09.000Z');
  });

  it('makes weak ones: 1024 bits, SHA-1', async () => {
    const { cert } = await issue(ca, { commonName: 'weak.example', keyType: 'rsa1024', signature: 'sha1' });
    const seen = parseCertificate(cert);
    assert.equal(seen.signatureAlgorithm, 'sha1WithRSAEncryption');
    assert.deepEqual([seen.keyType, seen.keyBits], ['RSA', 1024]);
  });

  it('signs by itself without a root, key and certificate belonging together', async () => {
    const { cert, key } = await issue(null, { commonName: 'self.example', keyType: 'ec256' });
    const seen = parseCertificate(cert);
    assert.equal(seen.selfSigned, true);
    assert.equal(seen.signatureAlgorithm, 'ecdsa-with-SHA256');
    assert.equal(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)), true);
  });

  it('has no subject but a DNS name where no common name was asked for', async () => {
    const { cert } = await issue(ca, { dns: ['nameless.example'] });
    const seen = new X509Certificate(cert);
    assert.ok(!seen.subject, 'the subject is empty');
    assert.equal(seen.subjectAltName, 'DNS:nameless.example');
  });

  it('marks must-staple', async () => {
    const plain = await issue(ca, { dns: ['a.example'], keyType: 'ec256' });
    const marked = await issue(ca, { dns: ['a.example'], keyType: 'ec256', ocspMustStaple: true });
    const feature = Buffer.from('06082b06010505070118', 'hex'); // 1.3.6.1.5.5.7.1.24
    assert.equal(new X509Certificate(plain.cert).raw.includes(feature), false);
    assert.equal(new X509Certificate(marked.cert).raw.includes(feature), true);
  });

  for (const keyType of ['rsa2048', 'ec256'] as const) {
    it(`is trusted by a client that trusts its root (${keyType})`, async () => {
      const { cert, key } = await issue(ca, { commonName: 'tls.example', dns: ['tls.example'], keyType });
      const server = tls.createServer({ cert, key }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const client = tls.connect({ host: '127.0.0.1', port, servername: 'tls.example', ca: ca.cert });
      try {
        await once(client, 'secureConnect');
        assert.equal(client.authorized, true);
      } finally {
        client.destroy();
        server.close();
      }
    });
  }
});
