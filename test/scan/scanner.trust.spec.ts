import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate, type KnownCertificate } from '../../lib/scan/certificates';
import { anchorsWith, judgeTrust, type TrustJudgement } from '../../lib/scan/trust';
import { der } from './scan-support';

/**
 * Made with `openssl ca`, keys thrown away; valid from 2025 to 2043 but for intermediate-expired (June 2025). The five
 * intermediates share one name: two of one key, cross-signed by Root A and Root B; one expired; one that may not issue;
 * one with another key.
 */
type Name =
  | 'root-a'
  | 'root-b'
  | 'intermediate-by-a'
  | 'intermediate-by-b'
  | 'intermediate-expired'
  | 'intermediate-no-ca'
  | 'intermediate-other-key'
  | 'leaf'
  | 'leaf-by-root-a'
  | 'leaf-for-clients'
  | 'leaf-self-signed';

const pem = (name: Name): string => readFileSync(join(__dirname, 'chains', `${name}.pem`), 'utf8');
const NOW = new Date('2026-02-11T14:05:00Z');

function known(name: Name): KnownCertificate {
  const found = readCertificate(der(pem(name)));
  assert.ok(found);
  return found;
}

function judge(leaf: Name, chain: Name[], anchors: Name[], now = NOW): TrustJudgement {
  return judgeTrust(known(leaf), chain.map(known), anchorsWith(anchors.map(pem)), now);
}

describe('trust', () => {
  for (const [what, leaf, chain, anchors] of [
    ['an intermediate', 'leaf', ['intermediate-by-a'], ['root-a']],
    ['no intermediate', 'leaf-by-root-a', [], ['root-a']],
    ['the root sent along', 'leaf', ['intermediate-by-a', 'root-a'], ['root-a']],
    ['the wrong order', 'leaf', ['root-a', 'intermediate-by-a'], ['root-a']],
    [
      'two cross-signed intermediates, the trusted one last',
      'leaf',
      ['intermediate-by-a', 'intermediate-by-b'],
      ['root-b'],
    ],
    ['an expired intermediate before a good one', 'leaf', ['intermediate-expired', 'intermediate-by-a'], ['root-a']],
    [
      'an intermediate of another key before a good one',
      'leaf',
      ['intermediate-other-key', 'intermediate-by-a'],
      ['root-a'],
    ],
    ['strangers in between', 'leaf', ['leaf-self-signed', 'root-b', 'intermediate-by-a'], ['root-a']],
    ['the leaf again in the chain', 'leaf', ['leaf', 'intermediate-by-a'], ['root-a']],
    ['an intermediate that is trusted itself', 'leaf', [], ['intermediate-by-a']],
    ['a certificate that is trusted itself', 'leaf-self-signed', [], ['leaf-self-signed']],
  ] as [string, Name, Name[], Name[]][]) {
    it(`finds its way with ${what}`, () => {
      assert.deepEqual(judge(leaf, chain, anchors).reason, '');
      assert.equal(judge(leaf, chain, anchors).isTrusted, true);
    });
  }

  for (const [reason, what, leaf, chain, anchors] of [
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'a missing intermediate', 'leaf', [], ['root-a']],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'an unknown root', 'leaf', ['intermediate-by-a'], ['root-b']],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'a root that nobody trusts', 'leaf', ['intermediate-by-a', 'root-a'], ['root-b']],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'a self-signed one', 'leaf-self-signed', [], ['root-a']],
    ['CERT_HAS_EXPIRED', 'an expired intermediate', 'leaf', ['intermediate-expired'], ['root-a']],
    ['INVALID_CA', 'an issuer that may not issue', 'leaf', ['intermediate-no-ca'], ['root-a']],
    ['CERT_SIGNATURE_FAILURE', 'an issuer of another key', 'leaf', ['intermediate-other-key'], ['root-a']],
    ['INVALID_PURPOSE', 'a certificate for clients', 'leaf-for-clients', ['intermediate-by-a'], ['root-a']],
  ] as [string, string, Name, Name[], Name[]][]) {
    it(`says ${reason} for ${what}`, () => {
      const { isTrusted, reason: found, detail } = judge(leaf, chain, anchors);
      assert.equal(isTrusted, false);
      assert.equal(found, reason);
      assert.notEqual(detail, '');
    });
  }

  it('judges the dates of issuers by the time of the scan', () => {
    const chain: Name[] = ['intermediate-expired'];
    assert.equal(judge('leaf', chain, ['root-a'], new Date('2025-05-01T00:00:00Z')).isTrusted, true);
    assert.equal(judge('leaf', chain, ['root-a'], new Date('2024-05-01T00:00:00Z')).reason, 'CERT_NOT_YET_VALID');
  });

  it('trusts no root that has expired', () => {
    assert.equal(judge('leaf-by-root-a', [], ['root-a'], new Date('2046-01-01T00:00:00Z')).isTrusted, false);
  });

  it('names the certificates between leaf and root', () => {
    const path = judge('leaf', ['root-b', 'intermediate-by-a', 'intermediate-by-b', 'root-a'], ['root-b']).path;
    assert.deepEqual(
      path.map(({ certificate }) => certificate.fingerprint256),
      [known('leaf').certificate.fingerprint256, known('intermediate-by-b').certificate.fingerprint256],
    );
  });

  it('comes to an end with certificates that issue each other', () => {
    const many = Array.from({ length: 8 }, () => ['intermediate-by-a', 'intermediate-by-b'] as Name[]).flat();
    assert.equal(judge('leaf', [...many, 'root-a', 'root-b'], []).isTrusted, false);
  });

  it('knows the roots of the runtime, several in one text, and leaves out what is broken', () => {
    const anchors = anchorsWith([
      `${pem('root-a')}\n${pem('root-b')}`,
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    ]);
    assert.ok(anchors.size > 100);
    assert.ok(anchors.has('CN=Root A') && anchors.has('CN=Root B'));
  });

  it('knows the roots of NODE_EXTRA_CA_CERTS', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'certdesk-'));
    const before = process.env['NODE_EXTRA_CA_CERTS'];
    try {
      process.env['NODE_EXTRA_CA_CERTS'] = join(folder, 'extra.pem');
      await writeFile(join(folder, 'extra.pem'), pem('root-b'));
      assert.ok(anchorsWith([`# ${folder}`]).has('CN=Root B'));
    } finally {
      if (before === undefined) delete process.env['NODE_EXTRA_CA_CERTS'];
      else process.env['NODE_EXTRA_CA_CERTS'] = before;
      await rm(folder, { recursive: true });
    }
  });
});
