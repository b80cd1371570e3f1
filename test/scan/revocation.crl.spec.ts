import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lookUp } from '../../lib/scan/revocation/crl';
import { readFields } from '../../lib/scan/revocation/fields';
import { readList, type RevocationList } from '../../lib/scan/revocation/revocation-list';
import {
  der,
  extension,
  integer,
  issueLab,
  revocationList,
  scopeExtension,
  sequence,
  tagged,
  uri,
} from '../lab/revocation';
import type { LabCertificate, ListEntry, ListOptions } from '../lab/revocation';

const URL_A = 'http://crl.example/a.crl';
const URL_B = 'http://crl.example/b.crl';
const NOW = new Date('2026-03-02T12:00:00Z');
const AT = new Date('2026-02-03T04:05:06Z');

describe('a revocation list', () => {
  const ca = issueLab(null, { commonName: 'List Root', role: 'authority' });
  const stranger = issueLab(null, { commonName: 'Stranger', role: 'authority' });

  function list(options: Partial<ListOptions> = {}): Buffer {
    const dates = { thisUpdate: new Date('2026-03-01T00:00:00Z'), nextUpdate: new Date('2026-03-08T00:00:00Z') };
    return revocationList({ issuer: ca, ...dates, ...options });
  }

  async function say(
    bytes: Buffer,
    { serial = '4a01', issuer = ca, urls = [URL_A], isAuthority = false, now = NOW } = {},
  ): Promise<string> {
    const read = await readList(bytes, readFields(issuer.der));
    if (read.kind === 'unusable') return read.detail;
    const subject = { serialNumber: Buffer.from(serial, 'hex'), urls, isAuthority };
    const said = lookUp(read.list, subject, now.getTime());
    return said.kind === 'good' ? 'good' : said.detail;
  }

  for (const [expected, what, entries] of [
    ['good', 'nothing', []],
    ['good', 'others', [{ serial: '4a02' }, { serial: '014a01' }, { serial: '01' }]],
    ['revoked since 2026-02-03T04:05:06.000Z', 'it alone', [{ serial: '4a01', at: AT }]],
    ['revoked since 2026-02-03T04:05:06.000Z', 'it with zeros before', [{ serial: '00004a01', at: AT }]],
    [
      'revoked since 2026-02-03T04:05:06.000Z (its key was compromised)',
      'it with a reason, among others',
      [{ serial: '4a02' }, { serial: '4a01', at: AT, reason: 1 }, { serial: '4a03' }],
    ],
    ['revoked since 2026-02-03T04:05:06.000Z (it is on hold)', 'it on hold', [{ serial: '4a01', at: AT, reason: 6 }]],
    ['good', 'it as removed', [{ serial: '4a01', at: AT, reason: 8 }]],
    [
      'revoked since 2026-02-03T04:05:06.000Z (it was superseded)',
      'it with the reason after another extension',
      [
        {
          serial: '4a01',
          at: AT,
          extensions: [
            extension('2.5.29.24', der(0x18, '20260101000000Z')),
            extension('2.5.29.21', der(0x0a, Buffer.of(4))),
          ],
        },
      ],
    ],
  ] as [string, string, ListEntry[]][]) {
    it(`says what it says of a certificate when it lists ${what}`, async () => {
      assert.equal(await say(list({ entries })), expected);
    });
  }

  for (const [detail, what, make] of [
    [
      'it expired at 2026-03-02T11:00:00.000Z',
      'it has expired',
      () => list({ nextUpdate: new Date('2026-03-02T11:00:00Z') }),
    ],
    [
      'it holds from 2026-03-02T13:00:00.000Z on only',
      'it is of later',
      () => list({ thisUpdate: new Date('2026-03-02T13:00:00Z') }),
    ],
    ['it does not say how long it holds', 'it has no end', () => list({ nextUpdate: null })],
    ['its signature does not fit', 'another has signed it', () => list({ signer: stranger })],
    ['it is of another issuer', 'it is of another', () => revocationList({ issuer: stranger })],
    [
      'it holds the changes to another list only',
      'it is a delta',
      () => list({ extensions: [extension('2.5.29.27', integer('01'), { isCritical: true })] }),
    ],
    [
      'it has the critical extension 1.2.3.4, which is not understood',
      'it has a critical extension',
      () => list({ extensions: [extension('1.2.3.4', integer('01'), { isCritical: true })] }),
    ],
    [
      'it holds certificates of several issuers',
      'it is indirect',
      () => list({ extensions: [scopeExtension(der(0x84, Buffer.of(0xff)))] }),
    ],
    [
      'it is for attribute certificates only',
      'it is for attributes',
      () => list({ extensions: [scopeExtension(der(0x85, Buffer.of(0xff)))] }),
    ],
    [
      'it is for authorities only',
      'it is for authorities',
      () => list({ extensions: [scopeExtension(der(0x82, Buffer.of(0xff)))] }),
    ],
    [
      'it is for some reasons only',
      'it is for some reasons',
      () => list({ extensions: [scopeExtension(der(0x83, Buffer.of(1, 0x40)))] }),
    ],
    [
      'it is the list of another distribution point',
      'it is for another point',
      () => list({ extensions: [scopeExtension(tagged(0, tagged(0, uri(URL_B))))] }),
    ],
    [
      'it is the list of another distribution point',
      'its point has a relative name',
      () => list({ extensions: [scopeExtension(tagged(0, tagged(1)))] }),
    ],
    [
      'it is malformed',
      'an entry has a critical extension',
      () =>
        list({ entries: [{ serial: '01', extensions: [extension('2.5.29.29', der(0x30), { isCritical: true })] }] }),
    ],
    ['it is malformed', 'it is cut off', () => list({ entries: [{ serial: '01' }] }).subarray(0, -1)],
    ['it is malformed', 'it is a page', () => Buffer.from('<html>not found</html>')],
  ] as [string, string, () => Buffer][]) {
    it(`does not count when ${what}`, async () => {
      assert.equal(await say(make()), detail);
    });
  }

  it('does not count when its issuer may not sign lists', async () => {
    const mute = issueLab(null, { commonName: 'Mute Root', role: 'authority', keyUsage: 0x84 });
    const bytes = revocationList({ issuer: mute });
    assert.equal(await say(bytes, { issuer: mute }), 'its issuer may not sign lists');
  });

  it('counts for the points and kinds of certificate that it names', async () => {
    const forA = list({ extensions: [scopeExtension(tagged(0, tagged(0, uri(URL_A))), der(0x81, Buffer.of(0xff)))] });
    assert.equal(await say(forA), 'good');
    assert.equal(await say(forA, { urls: [URL_B, URL_A] }), 'good');
    assert.equal(await say(forA, { isAuthority: true }), 'it is for users only');
  });

  it('for some reasons still says what is revoked', async () => {
    const extensions = [scopeExtension(der(0x83, Buffer.of(1, 0x40)))];
    const bytes = list({ entries: [{ serial: '4a01', at: AT, reason: 1 }], extensions });
    assert.equal(await say(bytes), 'revoked since 2026-02-03T04:05:06.000Z (its key was compromised)');
  });

  it('of 100,000 entries is kept small, finds each of them and nothing else, and lets others work meanwhile', async function () {
    this.timeout(60_000);
    const random = randomBytes(100_000 * 15);
    const serials = Array.from({ length: 100_000 }, (_, i) =>
      Buffer.concat([Buffer.of(0x4a), random.subarray(15 * i, 15 * i + 15)]),
    );
    const [head, time] = [Buffer.from('0210', 'hex'), der(0x17, '260203040506Z')];
    const reason = sequence(extension('2.5.29.21', der(0x0a, Buffer.of(4))));
    const [plain, reasoned] = [Buffer.from('3021', 'hex'), Buffer.from('302f', 'hex')];
    const entries = serials.flatMap((serial, i) =>
      i % 2 === 0 ? [plain, head, serial, time] : [reasoned, head, serial, time, reason],
    );
    const bytes = list({ entries: Buffer.concat(entries) });
    let turns = 0;
    const counter = setInterval(() => (turns += 1), 0);
    const { serials: kept } = await readLarge(bytes, ca);
    clearInterval(counter);
    assert.ok(turns >= 5, `${turns} turns of the event loop`);
    assert.equal(kept.count, 100_000);
    assert.ok(kept.bytes < 3 * 1024 * 1024, `${kept.bytes} bytes`);
    for (const [i, serial] of serials.entries()) {
      if (kept.find(serial)?.reason !== (i % 2 === 0 ? null : 4)) assert.fail(`entry ${i}`);
    }
    for (let i = 0; i < 1000; i += 1)
      assert.equal(kept.find(Buffer.from(`4b${randomBytes(15).toString('hex')}`, 'hex')), null);
  });

  it('of counted serial numbers finds them as well', async () => {
    const entries = Array.from({ length: 3000 }, (_, i) => ({ serial: (0x10000 + i).toString(16).padStart(6, '0') }));
    const { serials } = await readLarge(list({ entries }), ca);
    assert.ok(entries.every(({ serial }) => serials.find(Buffer.from(serial.replace(/^(00)+/, ''), 'hex')) !== null));
    assert.equal(serials.find(Buffer.from('020000', 'hex')), null);
  });
});

async function readLarge(bytes: Buffer, issuer: LabCertificate): Promise<RevocationList> {
  const read = await readList(bytes, readFields(issuer.der));
  assert.ok(read.kind === 'list');
  return read.list;
}
