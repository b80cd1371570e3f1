import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearedNote, placesNote, resultsNote, ticketTexts } from '../../lib/tickets/texts';
import { certificate, check, cipher, endpoint, expiry, RC4, SCANNED_BY, TRIPLE_DES, vulnerability } from './samples';

/** Typed by hand from the contract; the last line's end is the file's, not the text's. */
function expected(name: string): string {
  return readFileSync(join(__dirname, 'expected', `${name}.txt`), 'utf8').replace(/\n$/, '');
}

const STANDARD = { subject: '', body: '' };
const texts = (finding: Parameters<typeof ticketTexts>[0]) => ticketTexts(finding, STANDARD, SCANNED_BY);

describe('ticket texts', () => {
  it('writes the expiry ticket letter by letter', () => {
    assert.equal(texts(expiry()).subject, expected('expiry-subject'));
    assert.equal(texts(expiry()).body, expected('expiry'));
  });

  it('names all places of a certificate after the block', () => {
    const endpoints = [
      endpoint('shop.example', '192.0.2.7'),
      endpoint('shop.example', '192.0.2.7', 8443),
      endpoint('shop.example', '2001:db8::7'),
      endpoint('www.shop.example', '192.0.2.7'),
    ];
    assert.equal(texts(expiry({ endpoints })).body, expected('expiry-many-places'));
  });

  it('writes the vulnerability ticket letter by letter', () => {
    const finding = vulnerability({ vulnerabilities: [] });
    assert.equal(texts(finding).subject, expected('vulnerability-subject'));
    assert.equal(texts(finding).body, expected('vulnerability-ciphers'));
  });

  it('adds signature algorithm and expiry date for what concerns the certificate or its key', () => {
    const finding = vulnerability({ vulnerabilities: [check('rc4'), check('heartbleed')] });
    assert.equal(texts(finding).body, expected('vulnerability-heartbleed'));
    for (const id of ['revoked-ocsp', 'revoked-crl', 'poodle-ssl', 'poodle-tls'] as const) {
      assert.match(
        texts(vulnerability({ vulnerabilities: [check(id)] })).body,
        /\nSignature Algorithm: .*\nExpiry Date: /,
      );
    }
  });

  it('has neither heading nor list without weak suites', () => {
    const finding = vulnerability({ weakCiphers: [], vulnerabilities: [check('sslv3'), check('rc4', 'ok')] });
    assert.equal(texts(finding).body, expected('vulnerability-no-ciphers'));
  });

  it('names each suite once, insecure before weak, then in the order of the table', () => {
    const weakCiphers = [
      cipher('C013', 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 'weak'),
      TRIPLE_DES,
      { ...RC4, protocol: 'TLSv1' as const },
      cipher('010080', 'SSL_CK_RC4_128_WITH_MD5', 'insecure', 'SSLv2'),
      RC4,
      cipher('0004', 'TLS_RSA_WITH_RC4_128_MD5', 'insecure'),
    ];
    const lines = texts(vulnerability({ weakCiphers })).body.split('\n');
    const start = lines.indexOf('Weak ciphers in use, which should be removed') + 1;
    assert.deepEqual(
      lines.slice(
        start,
        lines.findIndex(line => line.startsWith('Scan Time')),
      ),
      [
        'SSL_CK_RC4_128_WITH_MD5',
        'TLS_RSA_WITH_RC4_128_MD5',
        'TLS_RSA_WITH_RC4_128_SHA',
        'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
        'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
      ],
    );
  });

  it('calls a place without a name by its certificate, or by its address when that is a wildcard or missing', () => {
    const at = [endpoint(null, '192.168.205.35')];
    const named = (commonName: string): string =>
      texts(vulnerability({ endpoints: at, certificate: certificate({ commonName }) })).subject;
    assert.equal(named('example.com'), 'Vulnerabilities for example.com');
    assert.equal(named('*.example.com'), 'Vulnerabilities for 192.168.205.35');
    assert.equal(named('0A1B2C'), 'Vulnerabilities for 192.168.205.35');
  });

  it('says in a note what is new, what is gone and what is left', () => {
    const finding = vulnerability({ vulnerabilities: [check('heartbleed'), check('rc4')] });
    const before = ['TLS_RSA_WITH_RC4_128_SHA', 'sslv3', 'rc4'];
    assert.equal(resultsNote(finding, before, SCANNED_BY), expected('results-note'));
  });

  it('compares with nothing when nobody remembers what was told last', () => {
    assert.doesNotMatch(resultsNote(vulnerability(), null, SCANNED_BY), /^(New|Gone|Still there):/m);
  });

  it('names only the new places in the note of places', () => {
    assert.equal(
      placesNote(expiry(), ['mail.shop.example@192.0.2.9'], SCANNED_BY),
      'The SSL Certificate shop.example is also served at:\nmail.shop.example@192.0.2.9\n' +
        'Expiry Date: Feb 25, 2020\nScanned by: CertDesk running at https://node-red.example:1880',
    );
  });

  it('says by which certificate a cleared one was replaced', () => {
    const replacedBy = certificate({ serialNumber: '77', notAfter: '2020-05-25T12:00:00.000Z' });
    assert.match(
      clearedNote(expiry({ state: 'cleared', replacedBy }), SCANNED_BY),
      /\(serial number 0A1B2C\) is no longer in use\.\nRenewed: serial number 77, valid until May 25, 2020\.\n/,
    );
    assert.match(
      clearedNote(vulnerability({ state: 'cleared' }), SCANNED_BY),
      /^Nothing of what was reported is found any more at test\.example\.com@192\.168\.205\.35\.\n/,
    );
  });

  it('does not say that all is well where only the certificate was renewed', () => {
    const replacedBy = { ...vulnerability().certificate, serialNumber: '0BEE', notAfter: '2027-01-05T00:00:00.000Z' };
    assert.equal(
      clearedNote(vulnerability({ state: 'cleared', replacedBy }), SCANNED_BY),
      'The certificate at test.example.com@192.168.205.35 was renewed. ' +
        'What is still found there is in a ticket of its own.\n' +
        'Renewed: serial number 0BEE, valid until Jan 5, 2027.\n' +
        'Scanned by: CertDesk running at https://node-red.example:1880',
    );
  });

  it('fills own texts with the documented names, unescaped', () => {
    const settings = {
      subject: '{{certificate.commonName}} at {{place}}: {{daysLeft}} days',
      body: '{{domain}} {{ip}} {{expiryDate}} {{scanTime}} {{scannedBy}} <{{certificate.issuer}}>',
    };
    const finding = expiry({ certificate: certificate({ issuer: "CN=O'Brien & Sons" }) });
    assert.deepEqual(ticketTexts(finding, settings, SCANNED_BY), {
      subject: 'shop.example at shop.example@192.0.2.7: 13 days',
      body: `shop.example 192.0.2.7 Feb 25, 2020 Feb 11, 2020 14:05 UTC ${SCANNED_BY} <CN=O'Brien & Sons>`,
    });
  });

  it('keeps a hostile name on its line and never reads it as a template', () => {
    const hostile = expiry({ certificate: certificate({ commonName: 'evil\r\nBcc: a@b\u2028{{scannedBy}}\u0000' }) });
    assert.equal(texts(hostile).subject, 'SSL Certificate evil Bcc: a@b {{scannedBy}} expiry');
    assert.equal(texts(hostile).body.split('\n').length, 4);
  });
});
