import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { makeEndpoint } from '../../lib/model/endpoint';
import { readDer, readDerSequence } from '../../lib/model/der';
import { readCertificate } from '../../lib/scan/certificates';
import { newObservation, type Observation } from '../../lib/scan/observation';
import type { Judgement } from '../../lib/scan/probes/probe';
import { weakKey } from '../../lib/scan/probes/weak-key';
import { weakSignature } from '../../lib/scan/probes/weak-signature';
import { issue, makeCa } from '../lab/certificates';

const SHA256 = '0609608648016503040201';
const SHA1 = '06052b0e03021a';
const MD5 = '06082a864886f70d0205';
/** An OID of nobody's: 1.3.6.1.4.1.99999.1 */
const UNKNOWN = '06092b06010401868d1f01';
const PSS = '06092a864886f70d01010a';
const VERSION_TAG = 0xa0;

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => element(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** The elements inside a constructed one, as they stand. */
function parts(der: Buffer): Buffer[] {
  const { content } = readDer(der);
  let start = 0;
  return readDerSequence(content).map(({ end }) => {
    const part = content.subarray(start, end);
    start = end;
    return part;
  });
}

/** A certificate with another AlgorithmIdentifier (twice, as RFC 5280 section 4.1.1.2 wants) or key; its signature is wrong. */
function rebuilt(der: Buffer, { algorithm, spki }: { algorithm?: Buffer; spki?: Buffer }): Buffer {
  const [tbs, oldAlgorithm, signature] = parts(der);
  assert.ok(tbs && oldAlgorithm && signature);
  const fields = parts(tbs);
  assert.equal(fields[0]?.[0], VERSION_TAG);
  fields[2] = algorithm ?? oldAlgorithm;
  fields[6] = spki ?? fields[6] ?? Buffer.alloc(0);
  return sequence(sequence(...fields), algorithm ?? oldAlgorithm, signature);
}

/** What a scan saw that refused everything but TLS 1.2 with this certificate. */
function seenWith(der: Buffer): Observation {
  const seen = newObservation(
    makeEndpoint({ domain: 'a.example', ip: '192.0.2.1', port: 443, starttls: null }),
    new Date(),
  );
  seen.protocols['TLSv1.2'] = { state: 'offered', reason: 'it answered' };
  const leaf = readCertificate(der);
  assert.ok(leaf);
  seen.served.push({ leaf, chain: [], staple: null, trust: { isTrusted: false, reason: 'X', detail: 'x' } as never });
  return seen;
}

describe('what stands in the DER of a certificate', () => {
  let der: Buffer;
  before(async () => {
    const { cert } = await issue(await makeCa('DER Root'), { commonName: 'a.example', dns: ['a.example'] });
    der = new X509Certificate(cert).raw;
  });

  describe('weak-signature', () => {
    const pss = (...parameters: Buffer[]): Buffer => sequence(hex(PSS), ...parameters);
    const over = (hash: string): Buffer => pss(sequence(element(0xa0, sequence(hex(hash)))));
    const judged = (algorithm: Buffer): Judgement => weakSignature.judge(seenWith(rebuilt(der, { algorithm })));

    for (const [what, algorithm, verdict, evidence] of [
      ['RSASSA-PSS over SHA-256', over(SHA256), 'ok', /No certificate/],
      ['RSASSA-PSS over SHA-1', over(SHA1), 'vulnerable', /rsassaPss over SHA-1/],
      ['RSASSA-PSS over MD5', over(MD5), 'vulnerable', /rsassaPss over MD5/],
      ['RSASSA-PSS without a hash, which means SHA-1', pss(sequence()), 'vulnerable', /rsassaPss over SHA-1/],
      ['RSASSA-PSS without parameters, which means SHA-1', pss(), 'vulnerable', /rsassaPss over SHA-1/],
      ['RSASSA-PSS over an unknown hash', over(UNKNOWN), 'cannot-tell', /over a hash .*: 1\.3\.6\.1\.4\.1\.99999\.1\./],
      ['RSASSA-PSS with broken parameters', pss(sequence(hex('a0053003'))), 'cannot-tell', /not known here/],
      ['an unknown algorithm', sequence(hex(UNKNOWN)), 'cannot-tell', /not known here: 1\.3\.6\.1\.4\.1/],
      ['SHA-1 by the old OID of OIW', sequence(hex('06052b0e03021d')), 'vulnerable', /sha1WithRSA/],
      ['MD4', sequence(hex('06092a864886f70d010103')), 'vulnerable', /md4WithRSAEncryption/],
      ['ECDSA over SHA3-256', sequence(hex('060960864801650304030a')), 'ok', /No certificate/],
      ['ML-DSA', sequence(hex('0609608648016503040312')), 'ok', /No certificate/],
    ] as [string, Buffer, Judgement['verdict'], RegExp][]) {
      it(`is ${verdict} for ${what}`, () => {
        const { verdict: found, detail } = judged(algorithm);
        assert.equal(found, verdict, detail);
        assert.match(detail, evidence);
      });
    }
  });

  describe('weak-key', () => {
    const ec = (namedCurve: string, paramEncoding: 'named' | 'explicit'): Buffer =>
      generateKeyPairSync('ec', { namedCurve, paramEncoding }).publicKey.export({ type: 'spki', format: 'der' });
    const judged = (spki: Buffer): Judgement => weakKey.judge(seenWith(rebuilt(der, { spki })));
    /** A curve of nobody's: over a prime of so many bits, with an order of so many. */
    const curve = (fieldBits: number, orderBits: number): Buffer => {
      const integer = (bits: number): Buffer => element(0x02, Buffer.from([0]), Buffer.alloc(bits / 8, 0xff));
      const field = sequence(hex('06072a8648ce3d0101'), integer(fieldBits));
      const coefficients = sequence(element(0x04, Buffer.alloc(fieldBits / 8, 1)), element(0x04, Buffer.from([7])));
      const base = element(0x04, Buffer.alloc(1 + fieldBits / 4, 4));
      const parameters = sequence(hex('020101'), field, coefficients, base, integer(orderBits));
      const point = element(0x03, Buffer.from([0, 4]), Buffer.alloc(fieldBits / 4, 1));
      return sequence(sequence(hex('06072a8648ce3d0201'), parameters), point);
    };

    for (const [what, spki, verdict, evidence] of [
      ['a named curve of 256 bits', ec('P-256', 'named'), 'ok', /^No certificate has a key that is too short\.$/],
      ['a named curve of 160 bits', ec('secp160r1', 'named'), 'vulnerable', /has an EC key of 160 bits\.$/],
      ['a named binary curve of 191 bits', ec('c2tnb191v1', 'named'), 'vulnerable', /an EC key of 191 bits/],
      ['a named binary curve of 283 bits', ec('sect283k1', 'named'), 'ok', /^No certificate/],
      ['a named curve without a size here', ec('wap-wsg-idm-ecid-wtls7', 'named'), 'cannot-tell', /size can't be told/],
      [
        'explicit parameters of 256 bits',
        ec('P-256', 'explicit'),
        'ok',
        /EC key of 256 bits.* RFC 5480 section 2\.1\.1/,
      ],
      ['explicit parameters of 160 bits', ec('secp160r1', 'explicit'), 'vulnerable', /160 bits.*RFC 5480/],
      ['explicit parameters of a binary field', ec('sect163k1', 'explicit'), 'vulnerable', /163 bits.*RFC 5480/],
      ['a curve of its own with a small order', curve(256, 128), 'vulnerable', /an EC key of 128 bits.*RFC 5480/],
      ['a curve of its own that is large', curve(256, 256), 'ok', /an EC key of 256 bits.*RFC 5480/],
      [
        'a curve of its own over no known field',
        sequence(
          sequence(hex('06072a8648ce3d0201'), sequence(hex('020101'), sequence(hex(UNKNOWN)))),
          element(0x03, Buffer.from([0, 4, 1, 1])),
        ),
        'cannot-tell',
        /size can't be told.*RFC 5480/,
      ],
      [
        'an unknown kind of key',
        sequence(sequence(hex(UNKNOWN)), element(0x03, Buffer.from([0, 1]))),
        'cannot-tell',
        /not known here: 1\.3\.6\.1\.4\.1/,
      ],
    ] as [string, Buffer, Judgement['verdict'], RegExp][]) {
      it(`is ${verdict} for ${what}`, () => {
        const { verdict: found, detail } = judged(spki);
        assert.equal(found, verdict, detail);
        assert.match(detail, evidence);
      });
    }

    it('is right in its articles', async () => {
      const { cert } = await issue(await makeCa('Short Root'), { commonName: 'a.example', keyType: 'rsa1024' });
      assert.match(weakKey.judge(seenWith(new X509Certificate(cert).raw)).detail, /has an RSA key of 1024 bits\.$/);
    });
  });
});
