import assert from 'node:assert/strict';
import { readDer, readDerSequence, readOid } from '../../lib/model/der';
import { readCertificate } from '../../lib/scan/certificates';
import { issue, makeCa } from '../lab/certificates';
import { fuzz, mutate, roundsOf, type Anatomy } from './fuzz';
import { der } from './scan-support';

/** Elements three levels deep, and their lengths. */
const DER: Anatomy = {
  pieces: bytes => {
    const starts = [0, ...headersOf(bytes), bytes.length];
    return starts.slice(1).map((end, index) => bytes.subarray(starts[index], end));
  },
  lengths: bytes => headersOf(bytes).map(at => ({ at: at + 1, width: 1 })),
};

/** Where elements begin, as far as the lengths can be followed. */
function headersOf(bytes: Buffer): number[] {
  const found: number[] = [];
  const follow = (from: number, to: number, depth: number): void => {
    for (let at = from; at < to && found.length < 200;) {
      found.push(at);
      const short = bytes[at + 1] ?? 0;
      const width = short > 0x80 && short <= 0x84 ? short & 0x7f : 0;
      if (at + 2 + width > to) return;
      const start = at + 2 + width;
      const end = Math.min(to, start + (width === 0 ? short & 0x7f : bytes.readUIntBE(at + 2, width)));
      if (((bytes[at] ?? 0) & 0x20) !== 0 && depth < 5) follow(start, end, depth + 1);
      at = end;
    }
  };
  follow(0, bytes.length, 0);
  return found;
}

describe('the readers of certificates, at mutated bytes', function () {
  this.timeout(Math.max(60_000, roundsOf(100)));
  let certificates: Buffer[];
  before(async () => {
    const ca = await makeCa('Fuzz Root');
    const issued = await Promise.all([
      issue(ca, { commonName: 'a.example', dns: ['a.example', '*.b.example'], ip: ['192.0.2.1', '2001:db8::1'] }),
      issue(ca, { dns: ['only-a-name.example'], keyType: 'ec256', signature: 'sha1' }),
      issue(ca, { commonName: 'must.example', dns: ['must.example'], ocspMustStaple: true }),
    ]);
    certificates = [ca.cert, ...issued.map(({ cert }) => cert)].map(der);
  });

  it('give a certificate that can be shown, or none', () => {
    let read = 0;
    fuzz(roundsOf(20), random => {
      const mutated = mutate(random.pick(certificates), random, DER);
      const known = readCertificate(mutated);
      if (known === null) return;
      read += 1;
      const { certificate } = known;
      assert.deepEqual(known.der, mutated);
      assert.match(certificate.fingerprint256, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      assert.match(certificate.serialNumber, /^-?[0-9A-F]+$/);
      assert.ok(certificate.commonName.length > 0);
      for (const date of [certificate.notBefore, certificate.notAfter])
        assert.equal(new Date(date).toISOString(), date);
      assert.ok(certificate.keyBits >= 0);
      assert.equal(typeof known.isMustStaple, 'boolean');
    });
    assert.ok(read > roundsOf(20) / 100, `${read} could be read`);
  });

  it('read DER to its end, or throw a RangeError', () => {
    fuzz(roundsOf(10), random => {
      const mutated = mutate(random.pick(certificates), random, DER);
      try {
        const whole = readDer(mutated);
        assert.ok(whole.end <= mutated.length && whole.content.length < whole.end);
        let total = 0;
        for (const element of readDerSequence(whole.content)) {
          assert.ok(element.end > total && element.end <= whole.content.length);
          total = element.end;
          assert.match(readOid(element.content), /^[\d.]*$|e\+|Infinity/);
        }
        assert.equal(total, whole.content.length);
      } catch (thrown) {
        assert.ok(thrown instanceof RangeError, String(thrown));
      }
    });
  });
});
