import assert from 'node:assert/strict';
import { lookUp } from '../../lib/scan/revocation/crl';
import { readFields, type CertificateFields } from '../../lib/scan/revocation/fields';
import { judgeAnswer } from '../../lib/scan/revocation/ocsp-answer';
import { readList } from '../../lib/scan/revocation/revocation-list';
import { RevokedSerials } from '../../lib/scan/revocation/revoked-serials';
import { crlSources, ocspSources } from '../../lib/scan/revocation/sources';
import {
  der,
  extension,
  issueLab,
  ocspAnswer,
  revocationList,
  scopeExtension,
  sequence,
  tagged,
  uri,
} from '../lab/revocation';
import { fuzz, fuzzAsync, mutate, roundsOf } from './fuzz';

const URL_A = 'http://crl.example/a.crl';

describe('the readers of revocation, at mutated bytes', function () {
  this.timeout(Math.max(60_000, roundsOf(1000)));
  const ca = issueLab(null, { commonName: 'Fuzz Root', role: 'authority' });
  const responder = issueLab(ca, { commonName: 'Responder', role: 'responder' });
  const leaf = issueLab(ca, {
    commonName: 'a.example',
    ocsp: ['http://ocsp.example/'],
    crl: [URL_A],
    isMustStaple: true,
  });
  const issuer = readFields(ca.der);
  const question = { leaf: readFields(leaf.der), issuer, now: new Date() };

  it('say of an OCSP answer what its signature covers, or nothing', async () => {
    const singles = [{ serial: '01' }, { serial: leaf.serial, status: { revokedAt: new Date(), reason: 1 } }];
    const samples = [
      ocspAnswer({ issuer: ca, singles }),
      ocspAnswer({ issuer: ca, singles, signer: responder, responderBy: 'key', certificates: [ca, responder] }),
    ];
    for (const sample of samples) assert.equal((await judgeAnswer(sample, question)).kind, 'revoked');
    await fuzzAsync({ rounds: roundsOf(20), atOnce: 4 }, async random => {
      const said = await judgeAnswer(mutate(random.pick(samples), random), question);
      assert.notEqual(said.kind, 'good');
      assert.ok(said.detail.length > 0);
    });
  });

  it('say of a list what its signature covers, or nothing', async () => {
    const entries = [{ serial: '01' }, { serial: leaf.serial, reason: 1 }, { serial: 'ff'.repeat(20), reason: 6 }];
    const scope = scopeExtension(tagged(0, tagged(0, uri(URL_A))), der(0x81, Buffer.of(0xff)));
    const sample = revocationList({
      issuer: ca,
      entries,
      extensions: [extension('2.5.29.20', der(2, Buffer.of(7))), scope],
    });
    const say = async (bytes: Buffer): Promise<string> => {
      const read = await readList(bytes, issuer);
      if (read.kind === 'unusable') return read.detail;
      const subject = { serialNumber: question.leaf.serialNumber, urls: [URL_A], isAuthority: false };
      return lookUp(read.list, subject, Date.now()).kind;
    };
    assert.equal(await say(sample), 'revoked');
    await fuzzAsync({ rounds: roundsOf(20), atOnce: 4 }, async random => {
      assert.notEqual(await say(mutate(sample, random)), 'good');
    });
  });

  it('read the entries of a list or throw a RangeError', async () => {
    const entry = (serial: string, ...rest: Buffer[]): Buffer =>
      sequence(der(2, Buffer.from(serial, 'hex')), der(0x17, '260101000000Z'), ...rest);
    const reason = sequence(extension('2.5.29.21', der(0x0a, Buffer.of(1)), { isCritical: true }));
    const usual = sequence(extension('2.5.29.21', der(0x0a, Buffer.of(1))));
    const sample = Buffer.concat([entry('01'), entry('7f'.repeat(20), reason), entry('4a01', usual), entry('02')]);
    assert.equal((await RevokedSerials.read(sample)).count, 4);
    await fuzzAsync({ rounds: roundsOf(20), atOnce: 4 }, async random => {
      try {
        (await RevokedSerials.read(mutate(sample, random))).find(random.bytes(2));
      } catch (thrown) {
        assert.ok(thrown instanceof RangeError, String(thrown));
      }
    });
  });

  it('read a certificate and where it points, or throw a RangeError', () => {
    fuzz(roundsOf(20), random => {
      let fields: CertificateFields;
      try {
        fields = readFields(mutate(leaf.der, random));
        const urls = [...ocspSources(fields).urls, ...crlSources(fields).urls];
        for (const url of urls) assert.match(url, /^https?:/i);
      } catch (thrown) {
        assert.ok(thrown instanceof RangeError, String(thrown));
      }
    });
  });
});
