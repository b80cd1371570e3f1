import assert from 'node:assert/strict';
import { parseCertificate } from '../../lib/model/certificate';
import { CHECK_IDS, DEFAULT_FINDINGS, QUICK_CHECKS } from '../../lib/model/checks';
import { daysLeft, formatDate, formatTime, isWithinDays } from '../../lib/model/dates';
import { readDer, readOid } from '../../lib/model/der';
import { makeEndpoint, placeOf } from '../../lib/model/endpoint';
import { CertDeskError } from '../../lib/model/errors';
import { isFinding } from '../../lib/model/finding';
import { expiryKey, vulnerabilityKey } from '../../lib/model/keys';
import { makeMatcher, parseList } from '../../lib/model/lists';
import { issue, makeCa } from '../lab/certificates';
import { der, issueLab, uri } from '../lab/revocation';
import { sampleFinding } from '../support/samples';

describe('dates', () => {
  const now = new Date('2026-03-10T12:00:00Z');
  for (const [notAfter, days] of [
    ['2026-03-11T12:00:00Z', 1],
    ['2026-03-11T11:59:59Z', 0],
    ['2026-03-10T12:00:00Z', 0],
    ['2026-03-10T11:59:59Z', -1],
    ['2026-04-09T12:00:00Z', 30],
  ] as const) {
    it(`has ${days} days left until ${notAfter}`, () => assert.equal(daysLeft(notAfter, now), days));
  }
  it('counts a window to the moment', () => {
    assert.equal(isWithinDays('2026-04-09T12:00:00Z', 30, now), true);
    assert.equal(isWithinDays('2026-04-09T12:00:01Z', 30, now), false);
  });
  it('writes dates as the standard texts have them, in UTC', () => {
    assert.equal(formatDate('2020-02-25T23:59:59Z'), 'Feb 25, 2020');
    assert.equal(formatTime('2020-02-11T14:05:59Z'), 'Feb 11, 2020 14:05 UTC');
    assert.equal(formatTime('2020-02-11T00:05:00Z'), 'Feb 11, 2020 00:05 UTC');
  });
});

describe('lists', () => {
  it('parts lines and commas, drops comments and keeps line numbers', () => {
    assert.deepEqual(parseList('a, b # why\n\n# only a comment\r\nc'), [
      { text: 'a', line: 1 },
      { text: 'b', line: 1 },
      { text: 'c', line: 4 },
    ]);
  });
  it('takes an array, one element a line, and nothing else', () => {
    assert.deepEqual(
      parseList(['a', 'b,c']).map(entry => [entry.text, entry.line]),
      [
        ['a', 1],
        ['b', 2],
        ['c', 2],
      ],
    );
    assert.deepEqual(parseList({ a: 1 }), []);
  });
  it('matches the whole value, * for anything, whatever the case', () => {
    const isMatch = makeMatcher(['*.Example.com', '10.0.0.*', 'a+b']);
    assert.equal(isMatch('www.example.COM'), true);
    assert.equal(isMatch('example.com'), false);
    assert.equal(isMatch('www.example.com.evil'), false);
    assert.equal(isMatch('10.0.0.77'), true);
    assert.equal(isMatch('10a0b0c7'), false);
    assert.equal(isMatch('a+b'), true);
    assert.equal(isMatch('aab'), false);
  });
});

describe('endpoints and places', () => {
  const name = (domain: string | null, ip: string): string =>
    makeEndpoint({ domain, ip, port: 443, starttls: null }).name;
  it('has a name of domain, address and port', () => {
    assert.equal(name('example.com', '192.0.2.7'), 'example.com@192.0.2.7:443');
    assert.equal(name(null, '192.0.2.7'), '192.0.2.7:443');
    assert.equal(name('example.com', '2001:db8::1'), 'example.com@[2001:db8::1]:443');
  });
  it('is at the place domain@ip', () => {
    assert.equal(placeOf({ domain: 'example.com', ip: '192.0.2.7' }), 'example.com@192.0.2.7');
    assert.equal(placeOf({ domain: null, ip: '192.0.2.7' }), '192.0.2.7');
    assert.equal(placeOf({ domain: 'file.pem', ip: '' }), 'file.pem');
  });
});

describe('keys', () => {
  const certificate = { issuer: 'CN=Test CA', serialNumber: '0A', fingerprint256: 'AA:BB' };
  const at = { domain: 'Test.Example.com', ip: '192.0.2.7', port: 443 };

  // Typed from `printf 'CN=Test CA\n0A' | sha256sum`: a key that changes loses every ticket in every helpdesk.
  it('stay what they are across versions', () => {
    assert.equal(expiryKey(certificate), 'cd-exp-092616e9f35a44723c5fb8d8');
  });
  it('are at most 40 of [a-z0-9-]', () => {
    for (const key of [
      expiryKey(certificate),
      vulnerabilityKey(certificate, at),
      vulnerabilityKey(certificate, { domain: 'ÄÖÜ_*.'.repeat(30), ip: '::1', port: 1 }),
      vulnerabilityKey(certificate, { domain: null, ip: '2001:db8::ffff', port: 65535 }, { per: 'place-and-port' }),
    ]) {
      assert.match(key, /^[a-z0-9-]{1,40}$/);
    }
  });
  it('differ by what they are made per', () => {
    const other = { ...certificate, serialNumber: '0B' };
    const port = { ...at, port: 8443 };
    assert.notEqual(vulnerabilityKey(certificate, at), vulnerabilityKey(other, at));
    assert.equal(vulnerabilityKey(certificate, at), vulnerabilityKey(certificate, port));
    assert.equal(vulnerabilityKey(certificate, at, { per: 'place' }), vulnerabilityKey(other, at, { per: 'place' }));
    assert.notEqual(
      vulnerabilityKey(certificate, at, { per: 'place-and-port' }),
      vulnerabilityKey(certificate, port, { per: 'place-and-port' }),
    );
    assert.notEqual(expiryKey(certificate), expiryKey(certificate, { withFingerprint: true }));
    assert.notEqual(vulnerabilityKey(certificate, { ...at, ip: '192.0.2.8' }), vulnerabilityKey(certificate, at));
  });
});

describe('certificates', () => {
  it('have no name that only stands in a URI or a mail address', () => {
    const { cert } = issueLab(null, {
      commonName: 'a.example',
      altNames: [
        uri('https://b.example/DNS:evil.example'),
        der(0x81, 'DNS:evil.example@c.example'),
        der(0x82, 'a.example'),
        uri('https://b.example/, IP Address:192.0.2.66'),
        der(0x87, Buffer.of(192, 0, 2, 9)),
      ],
    });
    assert.deepEqual(parseCertificate(cert).subjectAltNames, ['a.example', '192.0.2.9']);
  });

  it('are read with their names, dates, key and signature', async () => {
    const ca = await makeCa('Lab, "Inc"');
    const { cert } = await issue(ca, {
      commonName: 'a.example',
      dns: ['a.example', '*.b.example'],
      ip: ['192.0.2.9', '2001:db8::9'],
      serialNumber: '0AFF',
      keyType: 'ec256',
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2026-03-01T00:00:00Z'),
    });
    const certificate = parseCertificate(cert);
    assert.equal(certificate.commonName, 'a.example');
    assert.deepEqual(certificate.subjectAltNames, ['a.example', '*.b.example', '192.0.2.9', '2001:DB8:0:0:0:0:0:9']);
    assert.equal(certificate.serialNumber, '0AFF');
    assert.equal(certificate.notBefore, '2026-01-01T00:00:00.000Z');
    assert.equal(certificate.notAfter, '2026-03-01T00:00:00.000Z');
    assert.deepEqual([certificate.keyType, certificate.keyBits], ['EC', 256]);
    assert.equal(certificate.issuer, 'CN=Lab\\, \\"Inc\\"');
    assert.equal(certificate.selfSigned, false);
    assert.match(certificate.fingerprint256, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    assert.match(certificate.pem, /^-----BEGIN CERTIFICATE-----/);
  });
  it('name themselves by a DNS name, an address or the serial number where there is no common name', async () => {
    const name = async (options: object): Promise<string> =>
      parseCertificate((await issue(null, { keyType: 'ec256', serialNumber: '0C', ...options })).cert).commonName;
    assert.equal(await name({ dns: ['san.example'] }), 'san.example');
    assert.equal(await name({ ip: ['192.0.2.9'] }), '192.0.2.9');
    assert.equal(await name({}), '0C');
  });
  it('keep a name with odd characters as it is, and escape it in the issuer', async () => {
    const commonName = 'a,b+c"d\\e<f>;\n=g';
    const certificate = parseCertificate((await issue(null, { commonName, keyType: 'ec256' })).cert);
    assert.equal(certificate.commonName, commonName);
    assert.equal(certificate.subject, 'CN=a\\,b\\+c\\"d\\\\e\\<f\\>\\;\\0A=g');
  });
  it('are self-signed when their own key signed them', async () => {
    const { cert } = await issue(null, { commonName: 'own.example', keyType: 'rsa2048', signature: 'sha1' });
    const certificate = parseCertificate(cert);
    assert.equal(certificate.selfSigned, true);
    assert.equal(certificate.signatureAlgorithm, 'sha1WithRSAEncryption');
    assert.deepEqual([certificate.keyType, certificate.keyBits], ['RSA', 2048]);
  });
  it('reject bytes that are none', () => {
    assert.throws(() => parseCertificate(Buffer.from('not a certificate')));
  });
});

describe('DER', () => {
  it('refuses what is cut off or has no definite length', () => {
    for (const bytes of [
      [],
      [0x30],
      [0x30, 0x05, 0x01],
      [0x30, 0x80],
      [0x30, 0x85, 1, 1, 1, 1, 1],
      [0x30, 0x82, 0x01],
    ]) {
      assert.throws(() => readDer(Buffer.from(bytes)), RangeError);
    }
  });
  it('writes object identifiers in dots', () => {
    assert.equal(readOid(Buffer.from('2a864886f70d01010b', 'hex')), '1.2.840.113549.1.1.11');
    assert.equal(readOid(Buffer.from('2b6570', 'hex')), '1.3.101.112');
    assert.equal(readOid(Buffer.from('883703', 'hex')), '2.999.3');
  });
});

describe('checks', () => {
  it('come with the six of the re-created product first', () => {
    assert.deepEqual(CHECK_IDS.slice(0, 5), ['revoked-crl', 'revoked-ocsp', 'heartbleed', 'poodle-ssl', 'sslv3']);
  });
  it('make a Finding by default but for advice and expiry', () => {
    const left = CHECK_IDS.filter(id => !DEFAULT_FINDINGS.includes(id)).toSorted();
    assert.deepEqual(left, [
      'cbc-beast',
      'client-renegotiation',
      'expired',
      'must-staple',
      'no-fallback-scsv',
      'no-forward-secrecy',
      'no-post-quantum',
      'no-tls13',
    ]);
  });
  it('are all made by profile quick but four', () => {
    const left = CHECK_IDS.filter(id => !QUICK_CHECKS.includes(id)).toSorted();
    assert.deepEqual(left, ['client-renegotiation', 'no-fallback-scsv', 'no-post-quantum', 'ticketbleed']);
  });
});

describe('errors and findings', () => {
  it('pass by themselves only where waiting can help', () => {
    for (const code of ['UNREACHABLE', 'TIMEOUT', 'RATE_LIMITED', 'SERVER'] as const) {
      assert.equal(new CertDeskError(code, '').isPassing, true, code);
    }
    for (const code of [
      'AUTH',
      'FORBIDDEN',
      'NOT_FOUND',
      'INVALID',
      'CONFLICT',
      'TLS',
      'PROTOCOL',
      'CONFIG',
    ] as const) {
      assert.equal(new CertDeskError(code, '').isPassing, false, code);
    }
  });
  it('tell a Finding from anything else', async () => {
    const finding = await sampleFinding('a.example');
    assert.equal(isFinding(finding), true);
    assert.equal(isFinding(JSON.parse(JSON.stringify(finding))), true);
    for (const other of [
      null,
      'x',
      7,
      {},
      { ...finding, key: '' },
      { ...finding, key: "x' OR 1=1" },
      { ...finding, certificate: null },
    ]) {
      assert.equal(isFinding(other), false);
    }
  });
});
