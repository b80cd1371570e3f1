import assert from 'node:assert/strict';
import type { Notification } from '../../lib/model/finding';
import { DEFAULT_SYSLOG_SETTINGS } from '../../lib/policy/settings';
import { formatSyslog } from '../../lib/policy/syslog';
import { certificate, cipher, endpoint } from '../findings/samples';
import { expiry, vulnerability } from './samples';

const NOW = new Date('2026-06-01T12:00:00.000Z');
const ORIGIN = { hostname: 'node-red.example', processId: '42' };
const NEW: Notification = { reason: 'new', threshold: null, count: 1, lastAt: null };
const END = '2026-06-06T13:00:00.000Z';

/** PRI VERSION TIMESTAMP HOST APP PROCID MSGID SD [MSG], the grammar of RFC 5424 section 6. */
const RFC5424 = /^<(\d{1,3})>1 \S+ \S+ \S+ \S+ \S+ \[\S+( \w+="(?:[^"\\\]]|\\["\\\]])*")+\](?: \uFEFF?(.*))?$/u;

describe('formatSyslog', () => {
  const format = (finding = expiry(END), settings = DEFAULT_SYSLOG_SETTINGS): string =>
    formatSyslog(finding, NEW, settings, NOW, ORIGIN);

  it('writes an expiring certificate', () => {
    assert.equal(
      format(),
      '<188>1 2026-06-01T12:00:00.000Z node-red.example certdesk 42 expiry [certdesk@32473 ' +
        'key="cd-exp-0123456789abcdef01234567" state="active" reason="new" commonName="shop.example" ' +
        'serialNumber="0A1B" issuer="CN=Test CA,O=Example" notAfter="2026-06-06T13:00:00.000Z" daysLeft="5" ' +
        'places="shop.example@192.0.2.7"] Certificate shop.example expires, 5 days left',
    );
  });

  it('writes a vulnerable place with its checks and suites', () => {
    const message = format(vulnerability(['heartbleed', 'rc4'], {}, [cipher('rc4'), cipher('rc4', 'TLSv1')]));
    assert.match(message, /^<187>1 \S+ \S+ certdesk 42 vulnerability \[/);
    assert.match(message, / checks="heartbleed, rc4" weakCiphers="TLS_RSA_WITH_RC4_128_SHA"\] /);
    assert.match(message, /\] shop\.example@192\.0\.2\.7 is vulnerable$/);
  });

  it('grades by what it says and takes the facility', () => {
    const priority = (finding = expiry(END)): string =>
      /^<\d+>/.exec(format(finding, { facility: 'user', framing: 'none' }))?.[0] ?? '';
    assert.equal(priority(), '<12>');
    assert.equal(priority(expiry('2026-05-30T00:00:00.000Z')), '<10>');
    assert.equal(priority(vulnerability(['rc4'])), '<11>');
    assert.equal(priority(expiry(END, { state: 'cleared' })), '<13>');
  });

  it('frames', () => {
    const plain = format();
    assert.equal(format(expiry(END), { facility: 'local7', framing: 'newline' }), `${plain}\n`);
    assert.equal(
      format(expiry(END), { facility: 'local7', framing: 'octet-counting' }),
      `${Buffer.byteLength(plain)} ${plain}`,
    );
  });

  it('counts octets, not characters, and marks UTF-8', () => {
    const named = expiry(END, { certificate: certificate('0A', { commonName: 'büro.example', notAfter: END }) });
    const [count = '', ...rest] = format(named, { facility: 'local7', framing: 'octet-counting' }).split(' ');
    assert.equal(Number(count), Buffer.byteLength(rest.join(' ')));
    assert.match(rest.join(' '), /\] \uFEFFCertificate büro\.example expires/);
  });

  it('escapes what structured data must escape, and keeps every name on one line', () => {
    const hostile = certificate('0A', { commonName: 'a"]\\ b\n<13>1 fake\u0000', notAfter: END });
    const message = format(expiry(END, { certificate: hostile }));
    assert.match(message, / commonName="a\\"\\\]\\\\ b <13>1 fake" /);
    assert.match(message, RFC5424);
    assert.doesNotMatch(message, /[\r\n\0]/);
  });

  it('stays within 2,048 octets with whole structured data, whatever the names are', () => {
    for (const character of ['x', '"', ']', 'ü', '漢', '😀', '\uD800']) {
      const long = character.repeat(5000);
      const hostile = certificate(long, { commonName: long, issuer: long, notAfter: END });
      const endpoints = Array.from({ length: 500 }, (_, n) => endpoint(443, { domain: long, ip: `192.0.2.${n}` }));
      for (const finding of [expiry(END), vulnerability(['rc4'])]) {
        const message = format({ ...finding, certificate: hostile, endpoints });
        assert.ok(Buffer.byteLength(message) <= 2048, `${character}: ${Buffer.byteLength(message)}`);
        assert.match(message, RFC5424);
      }
    }
  });
});
