import assert from 'node:assert/strict';
import type { Notification } from '../../lib/model/finding';
import { formatCsv } from '../../lib/policy/csv';
import { groupByRecipient, type Told } from '../../lib/policy/digest';
import { checkTemplate } from '../../lib/model/text';
import { makeMail, type Mail } from '../../lib/policy/mail';
import { certificate, cipher, endpoint } from '../findings/samples';
import { expiry, vulnerability } from './samples';

const NOW = new Date('2026-06-01T12:00:00.000Z');
const END = '2026-06-06T13:00:00.000Z';
const notification: Notification = { reason: 'new', threshold: null, count: 1, lastAt: null };
const TOLD: Told[] = [
  { finding: vulnerability(['heartbleed'], {}, [cipher('rc4')]), notification },
  { finding: expiry(END, { state: 'cleared', replacedBy: certificate('0B') }), notification },
  { finding: expiry(END), notification },
];
const STANDARD = { emailSubject: '', emailBody: '' };

function mail(told: Told[], settings: { emailSubject: string; emailBody: string } = STANDARD): Mail {
  return makeMail(told, 'ops@shop.example', settings, { scannedBy: 'CertDesk running at https://n.example', now: NOW });
}

describe('makeMail', () => {
  it('writes one mail of all, most urgent first, with a plain text and a CSV beside it', () => {
    const { to, topic, payload, plaintext, attachments } = mail(TOLD);
    assert.equal(to, 'ops@shop.example');
    assert.equal(topic, 'SSL certificates: 1 expiring, 1 vulnerable, 1 over');
    assert.match(payload, /^<!DOCTYPE html>/);
    assert.equal(
      plaintext,
      [
        'SSL certificates: 1 expiring, 1 vulnerable, 1 over',
        '',
        'expires: shop.example, Jun 6, 2026 (5 days left)',
        '    shop.example@192.0.2.7',
        'vulnerable: shop.example, Jan 1, 2027 (213 days left)',
        '    shop.example@192.0.2.7',
        '    heartbleed, TLS_RSA_WITH_RC4_128_SHA',
        'renewed: shop.example, Jun 6, 2026 (5 days left)',
        '    shop.example@192.0.2.7',
        '    now valid until Dec 31, 2026',
        '',
        'Scanned by: CertDesk running at https://n.example',
        '',
      ].join('\n'),
    );
    assert.deepEqual(
      attachments.map(a => [a.filename, a.contentType]),
      [['certdesk.csv', 'text/csv; charset=utf-8']],
    );
    assert.equal(
      attachments[0]?.content.split('\r\n')[1],
      '"expires","shop.example","shop.example@192.0.2.7","CN=Test CA,O=Example","0A1B","2026-06-06T13:00:00.000Z",5,""',
    );
  });

  it('calls a mail about one thing by its name', () => {
    assert.equal(mail([{ finding: expiry(END), notification }]).topic, 'SSL Certificate shop.example expiry');
    assert.equal(mail([{ finding: vulnerability(['rc4']), notification }]).topic, 'Vulnerabilities for shop.example');
  });

  it('lets no name of a certificate out of its place', () => {
    const name = '=cmd|"x"!A1\r\nBcc: all@evil.example\n<img src=x onerror=alert(1)>\u202E';
    const finding = expiry(END, {
      certificate: certificate('0A', { commonName: name, issuer: '@SUM(A1)', notAfter: END }),
      endpoints: [endpoint(443, { domain: '<script>alert(1)</script>' })],
    });
    const own = {
      emailSubject: '{{{certificate.commonName}}}',
      emailBody: '<p>{{{certificate.commonName}}} {{&place}}</p>',
    };
    for (const settings of [STANDARD, own]) {
      const { topic, payload, attachments } = mail([{ finding, notification }], settings);
      assert.doesNotMatch(topic, /[\p{Cc}\u202E]/u);
      assert.doesNotMatch(payload, /<img|<script|\u202E/);
      assert.match(payload, /&lt;img src&#61;x/);
      const row = attachments[0]?.content.split('\r\n')[1] ?? '';
      assert.ok(row.includes(`"'=cmd|""x""!A1 Bcc: all@evil.example <img src=x onerror=alert(1)>"`), row);
      assert.ok(row.includes(`"'@SUM(A1)"`), row);
    }
  });

  it('fills the own subject and body', () => {
    const own = {
      emailSubject: '{{count}}: {{expiring}} {{vulnerable}} {{cleared}} {{certificate.commonName}}',
      emailBody: '{{#items}}{{word}} {{place}} {{expiryDate}} {{daysLeft}};{{/items}}{{scannedBy}}',
    };
    const { topic, payload } = mail(TOLD.slice(0, 1).concat(TOLD[2] ?? []), own);
    assert.equal(topic, '2: 1 1 0 shop.example');
    assert.equal(
      payload,
      'expires shop.example@192.0.2.7 Jun 6, 2026 5;vulnerable shop.example@192.0.2.7 Jan 1, 2027 213;' +
        'CertDesk running at https://n.example',
    );
  });

  it('refuses a template with a mistake, naming the field', () => {
    assert.throws(() => checkTemplate('emailBody', '{{#items}}'), { code: 'CONFIG', message: /^emailBody / });
  });
});

describe('formatCsv', () => {
  const cases: [value: string | number, field: string][] = [
    ['plain', '"plain"'],
    ['a "b", c', '"a ""b"", c"'],
    [-7, '-7'],
    ['-7', `"'-7"`],
    ['+1', `"'+1"`],
    ['@x', `"'@x"`],
    [' =x', `"'=x"`],
    ['"=x', `"'""=x"`],
    ['\t=x', `"'=x"`],
    ['＝x', `"'＝x"`],
    ['*.shop.example', '"*.shop.example"'],
  ];
  for (const [value, field] of cases) {
    it(`writes ${JSON.stringify(value)} as ${field}`, () => assert.equal(formatCsv([[value]]), `${field}\r\n`));
  }
});

describe('groupByRecipient', () => {
  it('gives every address what its patterns match, each Finding once', () => {
    const groups = groupByRecipient(TOLD, [
      { pattern: '*.nowhere', address: 'a@x' },
      { pattern: 'shop.*', address: 'b@x' },
      { pattern: '*Test CA*', address: 'b@x' },
      { pattern: '0B', address: 'c@x' },
    ]);
    assert.deepEqual(
      [...groups].map(([address, told]) => [address, told.length]),
      [['b@x', 3]],
    );
  });
});
