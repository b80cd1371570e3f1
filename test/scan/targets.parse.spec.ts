import assert from 'node:assert/strict';
import { CertDeskError } from '../../lib/model/errors';
import { parseTargets } from '../../lib/scan/targets/parse';
import { resolveTargets } from '../../lib/scan/targets/resolve';

/** Names of all endpoints; every name resolves to 198.51.100.1. */
async function endpointsOf(targets: unknown, exclude?: unknown): Promise<string[]> {
  const list = parseTargets(targets, { exclude });
  const lookupAll = (): Promise<string[]> => Promise.resolve(['198.51.100.1']);
  const places = [...(await resolveTargets(list, { timeoutMs: 1000, lookupAll }))];
  return places
    .flatMap(({ endpoints }) => endpoints)
    .map(({ name, starttls }) => (starttls === null ? name : `${starttls} ${name}`));
}

function refusal(targets: unknown, exclude?: unknown): string {
  let message = '';
  assert.throws(
    () => parseTargets(targets, { exclude }),
    (error: unknown) => {
      assert.ok(error instanceof CertDeskError);
      assert.equal(error.code, 'BAD_TARGET');
      message = error.message;
      return true;
    },
  );
  return message;
}

describe('parseTargets', () => {
  const forms: [text: string, expected: string[]][] = [
    ['shop.example', ['shop.example@198.51.100.1:443']],
    ['Shop.Example.', ['shop.example@198.51.100.1:443']],
    ['localhost', ['localhost@198.51.100.1:443']],
    ['müller.example', ['xn--mller-kva.example@198.51.100.1:443']],
    ['_dmarc.a_b.example', ['_dmarc.a_b.example@198.51.100.1:443']],
    ['shop.example:8443', ['shop.example@198.51.100.1:8443']],
    ['shop.example:443,8443', ['shop.example@198.51.100.1:443', 'shop.example@198.51.100.1:8443']],
    [
      'a.example:443,8443, 9443, b.example',
      [
        'a.example@198.51.100.1:443',
        'a.example@198.51.100.1:8443',
        'a.example@198.51.100.1:9443',
        'b.example@198.51.100.1:443',
      ],
    ],
    ['https://shop.example', ['shop.example@198.51.100.1:443']],
    ['https://shop.example:8443/cart?id=1#top', ['shop.example@198.51.100.1:8443']],
    ['HTTPS://192.0.2.1/24', ['192.0.2.1:443']],
    ['https://[2001:db8::1]:8443/', ['[2001:db8::1]:8443']],
    ['smtp://mail.example', ['smtp mail.example@198.51.100.1:25']],
    ['smtp://mail.example:25,587', ['smtp mail.example@198.51.100.1:25', 'smtp mail.example@198.51.100.1:587']],
    ['smtps://mail.example', ['mail.example@198.51.100.1:465']],
    ['imap://m.example, imaps://m.example', ['imap m.example@198.51.100.1:143', 'm.example@198.51.100.1:993']],
    ['pop3://m.example, pop3s://m.example', ['pop3 m.example@198.51.100.1:110', 'm.example@198.51.100.1:995']],
    ['ftp://m.example, ftps://m.example', ['ftp m.example@198.51.100.1:21', 'm.example@198.51.100.1:990']],
    ['ldap://m.example, ldaps://m.example', ['ldap m.example@198.51.100.1:389', 'm.example@198.51.100.1:636']],
    ['xmpp://m.example, xmpps://m.example', ['xmpp m.example@198.51.100.1:5222', 'm.example@198.51.100.1:5223']],
    ['nntp://m.example, nntps://m.example', ['nntp m.example@198.51.100.1:119', 'm.example@198.51.100.1:563']],
    ['postgres://m.example', ['postgres m.example@198.51.100.1:5432']],
    ['mysql://m.example', ['mysql m.example@198.51.100.1:3306']],
    ['sieve://m.example', ['sieve m.example@198.51.100.1:4190']],
    ['smtp://mail.example@192.0.2.7', ['smtp mail.example@192.0.2.7:25']],
    ['smtp://192.0.2.0/31:2525', ['smtp 192.0.2.0:2525', 'smtp 192.0.2.1:2525']],
    ['192.0.2.7', ['192.0.2.7:443']],
    ['192.0.2.7:993', ['192.0.2.7:993']],
    ['192.0.2.5/30', ['192.0.2.4:443', '192.0.2.5:443', '192.0.2.6:443', '192.0.2.7:443']],
    ['192.0.2.0/31:8443', ['192.0.2.0:8443', '192.0.2.1:8443']],
    ['192.0.2.255-192.0.3.1', ['192.0.2.255:443', '192.0.3.0:443', '192.0.3.1:443']],
    ['192.0.2.1-192.0.2.2:993', ['192.0.2.1:993', '192.0.2.2:993']],
    ['192.0.2.1 - 192.0.2.1', ['192.0.2.1:443']],
    ['shop.example@192.0.2.7', ['shop.example@192.0.2.7:443']],
    ['shop.example@192.0.2.7:8443,9443', ['shop.example@192.0.2.7:8443', 'shop.example@192.0.2.7:9443']],
    ['shop.example@2001:db8::7', ['shop.example@[2001:db8::7]:443']],
    ['shop.example@[2001:db8::7]:8443', ['shop.example@[2001:db8::7]:8443']],
    ['2001:DB8:0:0::1', ['[2001:db8::1]:443']],
    ['[2001:db8::1]', ['[2001:db8::1]:443']],
    ['[2001:db8::1]:8443', ['[2001:db8::1]:8443']],
    ['2001:db8::fffe/127', ['[2001:db8::fffe]:443', '[2001:db8::ffff]:443']],
    ['[2001:db8::/127]:8443', ['[2001:db8::]:8443', '[2001:db8::1]:8443']],
    ['2001:db8::/127:8443', ['[2001:db8::]:8443', '[2001:db8::1]:8443']],
    ['2001:db8::ff-2001:db8::100', ['[2001:db8::ff]:443', '[2001:db8::100]:443']],
    ['[2001:db8::1]-[2001:db8::2]:8443', ['[2001:db8::1]:8443', '[2001:db8::2]:8443']],
    ['::ffff:192.0.2.1', ['192.0.2.1:443']],
    ['[::1:443]', ['[::1:443]:443']],
    ['2001:db8::443', ['[2001:db8::443]:443']],
    ['2001:db8::1:7', ['[2001:db8::1:7]:443']],
  ];
  for (const [text, expected] of forms) {
    it(`reads ${text}`, async () => assert.deepEqual(await endpointsOf(text), expected));
  }

  it('takes lines, comments, commas and arrays', async () => {
    const text = '# all of them\na.example # the shop\n\n b.example,c.example:8443\r\n';
    const expected = ['a.example@198.51.100.1:443', 'b.example@198.51.100.1:443', 'c.example@198.51.100.1:8443'];
    assert.deepEqual(await endpointsOf(text), expected);
    assert.deepEqual(await endpointsOf(['a.example', 'b.example', 'c.example:8443']), expected);
  });

  it('has every endpoint once', async () => {
    const text = 'a.example\nA.example:443,443\nhttps://a.example\n192.0.2.1\n192.0.2.0/31';
    assert.deepEqual(await endpointsOf(text), ['a.example@198.51.100.1:443', '192.0.2.1:443', '192.0.2.0:443']);
  });

  it('keeps an address apart from a name at the same address', async () => {
    assert.deepEqual(await endpointsOf('a.example,198.51.100.1'), ['a.example@198.51.100.1:443', '198.51.100.1:443']);
  });

  const refused: [text: string, complaint: RegExp][] = [
    ['shop example', /line 1: "shop example": neither a host name nor an IP address/],
    ['-shop.example', /neither a host name/],
    ['shop..example', /neither a host name/],
    [`${'a'.repeat(64)}.example`, /neither a host name/],
    ['10.0.0.300', /neither a host name nor an IP address/],
    ['127.1', /neither a host name nor an IP address/],
    ['example.com?x', /neither a host name/],
    ['example.com/path', /a URL https:\/\/host\/path/],
    ['*.example.com', /\* is for excludes/],
    ['shop.example:0', /port "0" is not a number from 1 to 65535/],
    ['shop.example:65536', /port "65536" is not a number from 1 to 65535/],
    ['shop.example:https', /port "https" is not a number/],
    ['shop.example:', /port "" is not a number/],
    ['shop.example:443,70000', /line 1: "70000": port "70000" is not a number from 1 to 65535/],
    ['8443', /a port without a host; a list of ports is written host:443,8443/],
    ['shop.example,8443', /a port without a host/],
    ['a.example:443\n8443', /line 2: "8443": a port without a host/],
    ['http://shop.example', /unknown scheme "http"; known are https, smtp/],
    ['__proto__://shop.example', /unknown scheme "__proto__"/],
    ['constructor://shop.example', /unknown scheme "constructor"/],
    ['https://', /neither a host name/],
    ['10.0.0.0/33', /a block is written 192\.0\.2\.0\/24/],
    ['10.0.0.0/15', /131,072 addresses; at most 65,536 fit in one entry/],
    ['2001:db8::/64', /18,446,744,073,709,551,616 addresses/],
    ['10.0.0.1-10.1.0.1', /65,537 addresses/],
    ['10.0.0.9-10.0.0.1', /the range ends before it starts/],
    ['10.0.0.1-20', /a range is written 192\.0\.2\.1-192\.0\.2\.20/],
    ['10.0.0.1-2001:db8::1', /a range is written/],
    ['shop.example@www.example', /behind @ an IP address is expected/],
    ['shop.example@10.0.0.0/24', /behind @ an IP address is expected/],
    ['@10.0.0.1', /neither a host name/],
    ['2001:db8::1::443', /an IPv6 address with a port is written \[2001:db8::1\]:443/],
    ['::1:443', /write \[::1\]:443 or \[::1:443\]/],
    ['2001:db8::1:8443', /write \[2001:db8::1\]:8443 or \[2001:db8::1:8443\]/],
    ['foo:443:443', /one port follows the host; a list of ports is written host:443,8443/],
    ['https://foo:443:443', /one port follows the host/],
    ['fe80::1%eth0', /neither a host name|IPv6/],
  ];
  for (const [text, complaint] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assert.match(refusal(text), complaint));
  }

  it('accepts the widest block that it promises to accept, without expanding it', () => {
    const startedAt = process.hrtime.bigint();
    assert.equal([...parseTargets('10.0.0.0/16').targets].length, 1);
    assert.ok(process.hrtime.bigint() - startedAt < 50_000_000n);
  });

  it('refuses more endpoints than one run can hold', () => {
    assert.match(refusal('10.0.0.0/16:1,2,3,4,5'), /327,680 endpoints; one run takes at most 262,144/);
  });

  it('names every line that is wrong, of targets and excludes, and what is expected', () => {
    const message = refusal('a.example\nb example\nc.example:99999, d.example\n10.0.0.0/8', 'x.example\n10.0.0.0/99');
    assert.deepEqual(message.split('\n'), [
      'line 2: "b example": neither a host name nor an IP address',
      'line 3: "c.example:99999": port "99999" is not a number from 1 to 65535',
      'line 4: "10.0.0.0/8": 16,777,216 addresses; at most 65,536 fit in one entry, which is a /16 (IPv6: a /112)',
      'exclude line 2: "10.0.0.0/99": a block is written 192.0.2.0/24 or 2001:db8::/120, a URL https://host/path',
      'A target is one of: host, host:port, host:443,8443, https://host, smtp://host, 192.0.2.0/24, 192.0.2.1-192.0.2.20, host@192.0.2.7, [2001:db8::1]:443',
    ]);
  });

  it('complains once about a host with a list of ports', () => {
    assert.equal(refusal('b example:443,8443').split('\n').length, 2);
  });

  it('never repeats a password, and keeps strange text on one short line', () => {
    const message = refusal(['https://joe:s3cret@shop.example/', `evil\u0007\n${'x'.repeat(500)}`]);
    assert.ok(!message.includes('s3cret'));
    assert.equal(message.split('\n').length, 3);
    assert.ok(message.length < 500);
  });

  for (const nothing of ['', ' \n# only a comment', [], undefined]) {
    it(`refuses an empty list: ${JSON.stringify(nothing)}`, () => {
      assert.match(refusal(nothing), /^No targets\. Write one a line/);
    });
  }

  const wrongTypes: [targets: unknown, complaint: string][] = [
    [42, 'Targets are a text with one a line, or an array of texts, not a number.'],
    [{}, 'Targets are a text with one a line, or an array of texts, not an object.'],
    [null, 'Targets are a text with one a line, or an array of texts, not null.'],
    [true, 'Targets are a text with one a line, or an array of texts, not a boolean.'],
    [['a.example', null], 'Targets are a text with one a line, or an array of texts; element 2 is null.'],
    [['a.example', ['b.example']], 'Targets are a text with one a line, or an array of texts; element 2 is an array.'],
    [[443], 'Targets are a text with one a line, or an array of texts; element 1 is a number.'],
  ];
  for (const [targets, complaint] of wrongTypes) {
    it(`names the type of ${JSON.stringify(targets)}`, () => assert.equal(refusal(targets), complaint));
  }

  it('names the type of excludes that are neither text nor array', () => {
    assert.match(refusal('a.example', { ip: '192.0.2.1' }), /^Excludes are a text .*, not an object\.$/);
    assert.match(refusal('a.example', ['192.0.2.1', 7]), /^Excludes are .*element 2 is a number\.$/);
  });

  it('names the first lines of many in full, the others by number', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => (index === 49_999 ? 'good.example' : 'not a host'));
    const told = refusal(lines).split('\n');
    assert.equal(told.length, 22);
    assert.equal(told[0], 'line 1: "not a host": neither a host name nor an IP address');
    assert.equal(told[19], 'line 20: "not a host": neither a host name nor an IP address');
    assert.equal(told[20], 'and 99,979 more: line 21-49999, 50001-100000');
  });

  it('keeps the text short where bad lines lie scattered', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => (index % 2 === 0 ? 'good.example' : 'not a host'));
    const message = refusal(lines);
    assert.ok(message.length < 4000, `${message.length}`);
    assert.match(message, /and 49,980 more: line 42, 44, .*, …$/m);
  });

  describe('one port in two ways', () => {
    const conflicts: [targets: string, complaint: string][] = [
      [
        'm.example:25\nsmtp://m.example',
        'line 2: "smtp://m.example": port 25 is in line 1 for TLS from the first byte, here for smtp with STARTTLS; keep one of them',
      ],
      [
        'smtp://m.example\nm.example:24,25',
        'line 2: "m.example:24": port 25 is in line 1 for smtp with STARTTLS, here for TLS from the first byte; keep one of them',
      ],
      [
        'imap://m.example:25\nsmtp://M.example.',
        'line 2: "smtp://M.example.": port 25 is in line 1 for imap with STARTTLS, here for smtp with STARTTLS; keep one of them',
      ],
      [
        'm.example@192.0.2.7:25\nsmtp://m.example',
        'line 2: "smtp://m.example": port 25 is in line 1 for TLS from the first byte, here for smtp with STARTTLS; keep one of them',
      ],
      [
        'smtp://192.0.2.9\n192.0.2.0/24:25',
        'line 2: "192.0.2.0/24:25": port 25 is in line 1 for smtp with STARTTLS, here for TLS from the first byte; keep one of them',
      ],
      [
        '192.0.2.0/24:25\n192.0.2.1:25\nsmtp://192.0.2.9',
        'line 3: "smtp://192.0.2.9": port 25 is in line 1 for TLS from the first byte, here for smtp with STARTTLS; keep one of them',
      ],
    ];
    for (const [targets, complaint] of conflicts) {
      it(`refuses ${JSON.stringify(targets)}`, () => assert.equal(refusal(targets).split('\n')[0], complaint));
    }

    for (const targets of [
      'm.example:24\nsmtp://m.example',
      'm.example@192.0.2.7:25\nsmtp://m.example@192.0.2.8',
      'm.example:25\nsmtp://n.example',
      'm.example@192.0.2.7:25\nsmtp://192.0.2.7',
      '192.0.2.0-192.0.2.8:25\nsmtp://192.0.2.9',
      '[::c000:209]:25\nsmtp://192.0.2.9',
      'smtp://m.example\nsmtp://m.example:25',
    ]) {
      it(`takes ${JSON.stringify(targets)}`, () => assert.doesNotThrow(() => parseTargets(targets)));
    }
  });

  it('is not changed by what becomes of the array', async () => {
    const lines = ['a.example'];
    const { targets } = parseTargets(lines);
    lines[0] = 'not a host';
    assert.deepEqual(
      [...targets].map(({ domain }) => domain),
      ['a.example'],
    );
  });

  describe('excludes', () => {
    const targets = 'a.example:443,8443\nb.example\n192.0.2.0/30\nc.example@192.0.2.1\n[2001:db8::1]:443';
    const all = [
      'a.example@198.51.100.1:443',
      'a.example@198.51.100.1:8443',
      'b.example@198.51.100.1:443',
      '192.0.2.0:443',
      '192.0.2.1:443',
      '192.0.2.2:443',
      '192.0.2.3:443',
      'c.example@192.0.2.1:443',
      '[2001:db8::1]:443',
    ];
    const cases: [exclude: string, gone: string[]][] = [
      ['', []],
      ['A.example.', ['a.example@198.51.100.1:443', 'a.example@198.51.100.1:8443']],
      ['a.example:8443', ['a.example@198.51.100.1:8443']],
      ['example', []],
      ['192.0.2.1', ['192.0.2.1:443', 'c.example@192.0.2.1:443']],
      ['192.0.2.1:444', []],
      ['192.0.2.2/31', ['192.0.2.2:443', '192.0.2.3:443']],
      ['192.0.2.0-192.0.2.1:443', ['192.0.2.0:443', '192.0.2.1:443', 'c.example@192.0.2.1:443']],
      ['198.51.100.0/24', all.slice(0, 3)],
      ['c.example@192.0.2.1', ['c.example@192.0.2.1:443']],
      ['*.EXAMPLE', [...all.slice(0, 3), 'c.example@192.0.2.1:443']],
      ['*.example:443', [all[0]!, all[2]!, all[7]!]],
      ['192.0.2.*', [...all.slice(3, 8)]],
      ['2001:0db8:0::1', ['[2001:db8::1]:443']],
      ['[2001:db8::1]:443', ['[2001:db8::1]:443']],
      ['2001:db8:*', ['[2001:db8::1]:443']],
      ['::/0', ['[2001:db8::1]:443']],
      ['*:8443', ['a.example@198.51.100.1:8443']],
      ['*', all],
    ];
    for (const [exclude, gone] of cases) {
      it(`${exclude || 'nothing'} leaves out ${gone.length}`, async () => {
        const left = all.filter(name => !gone.includes(name));
        assert.deepEqual(await endpointsOf(targets, exclude), left);
      });
    }

    it('matches a pattern written in unicode', async () => {
      assert.deepEqual(await endpointsOf('www.müller.example,x.example', '*.müller.example'), [
        'x.example@198.51.100.1:443',
      ]);
    });

    it('refuses an exclude that could never match', () => {
      assert.match(refusal('a.example', 'exa mple*'), /exclude line 1: "exa mple\*"/);
    });
  });
});
