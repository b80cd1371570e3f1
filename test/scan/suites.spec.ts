import assert from 'node:assert/strict';
import { allSuites, COMMON, HEALTHY_ECDSA, HEALTHY_RSA, weakSuites } from '../../lib/scan/suites/lists';
import {
  findSuite,
  isFiniteField,
  isWeak,
  parseSuites,
  SUITES,
  toCipher,
  type Suite,
} from '../../lib/scan/suites/suites';

const HEADER = 'hex,iana_name,openssl_name,kex,auth,enc,mac,iana_recommended,class,reason';

function suite(id: string): Suite {
  const found = SUITES.find(one => one.id === id);
  assert.ok(found, id);
  return found;
}

describe('the table of cipher suites', () => {
  it('has every row but the two signalling values', () => {
    assert.equal(SUITES.length, 433);
    assert.equal(findSuite('classic', 0x5600), undefined);
    assert.equal(findSuite('classic', 0x00ff), undefined);
    assert.equal(SUITES.filter(({ family }) => family === 'SSLv2').length, 13);
    assert.equal(SUITES.filter(({ family }) => family === 'TLSv1.3').length, 19);
  });

  it('knows names, class and parts', () => {
    const { reasons, weaknesses, ...rest } = suite('000A');
    assert.deepEqual(rest, {
      code: 10,
      id: '000A',
      name: 'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
      opensslName: 'DES-CBC3-SHA',
      kex: 'RSA',
      auth: 'RSA',
      enc: '3DES_EDE_CBC',
      mac: 'SHA',
      ianaRecommended: rest.ianaRecommended,
      class: 'weak',
      family: 'classic',
      order: rest.order,
    });
    assert.deepEqual(reasons, [
      '3DES 64-bit block(SWEET32)',
      'no forward secrecy(RFC10015 MUST NOT)',
      'CBC mode(Lucky13; BEAST on TLS1.0)',
      'SHA-1 MAC',
    ]);
    assert.deepEqual(weaknesses.toSorted(), ['cbc-beast', 'no-forward-secrecy', 'sweet32']);
  });

  for (const [id, weaknesses] of [
    ['1301', []],
    ['C02F', []],
    ['CCA9', []],
    ['C013', ['cbc-beast']],
    ['002F', ['cbc-beast', 'no-forward-secrecy']],
    ['0003', ['export-cipher', 'freak', 'no-forward-secrecy', 'rc4']],
    ['0008', ['cbc-beast', 'des', 'export-cipher', 'freak', 'no-forward-secrecy', 'sweet32']],
    ['0014', ['cbc-beast', 'des', 'export-cipher', 'logjam', 'sweet32']],
    ['0018', ['anonymous-cipher', 'logjam', 'rc4']],
    ['0002', ['no-forward-secrecy', 'null-cipher']],
    ['009E', ['logjam']],
    ['C018', ['anonymous-cipher', 'cbc-beast']],
    ['C0B4', ['null-cipher']],
    ['020080', ['export-cipher', 'no-forward-secrecy', 'rc4']],
    ['060040', ['cbc-beast', 'des', 'no-forward-secrecy', 'sweet32']],
  ] as const) {
    it(`knows which checks ${id} decides`, () => {
      assert.deepEqual(suite(id).weaknesses.toSorted(), weaknesses);
    });
  }

  it('keeps the class of the table also in an outdated protocol, whose name goes into the reasons', () => {
    const cipher = toCipher(suite('C013'), 'TLSv1', 8443);
    assert.equal(cipher.class, 'weak');
    assert.equal(cipher.port, 8443);
    assert.equal(cipher.reasons.at(-1), 'TLS 1.0(RFC8996 MUST NOT)');
    assert.ok(!toCipher(suite('C013'), 'TLSv1.2', 8443).reasons.some(reason => reason.includes('TLS 1.0(')));
  });

  it('knows whose ServerKeyExchange has a prime', () => {
    assert.deepEqual(
      ['009E', '0018', '0014', 'C02F', '002F', '000C'].map(id => isFiniteField(suite(id))),
      [true, true, true, false, false, false],
    );
  });

  it('refuses a table that is not as it should be', () => {
    const row = '000a,NAME,,RSA,RSA,3DES_EDE_CBC,SHA,D,weak,why';
    assert.equal(parseSuites(`${HEADER}\n${row}\n`).length, 1);
    for (const bad of ['', `${HEADER}\n${row},more`, `${HEADER}\n${row.replace('weak', 'fine')}`, row]) {
      assert.throws(() => parseSuites(bad), /cipher-suites\.csv/);
    }
  });
});

describe('the lists that hellos offer', () => {
  it('offer each suite in the versions that can have it', () => {
    assert.equal(allSuites('TLSv1.2').length + allSuites('TLSv1.3').length + allSuites('SSLv2').length, 433);
    assert.ok(allSuites('TLSv1').every(({ mac, family }) => mac !== 'AEAD' && family === 'classic'));
    assert.ok(allSuites('TLSv1').includes(suite('C013')));
  });

  it('know the weak ones', () => {
    assert.deepEqual(new Set(weakSuites('TLSv1.2')), new Set(allSuites('TLSv1.2').filter(isWeak)));
    assert.ok(weakSuites('TLSv1.3').includes(suite('C0B4')));
    assert.ok(!weakSuites('TLSv1.3').includes(suite('1301')));
    assert.equal(weakSuites('SSLv2').length, 13);
  });

  it('are short enough for any server where a common one is sent, and start as a client of today', () => {
    assert.ok(COMMON.length <= 64);
    assert.equal(new Set(COMMON).size, COMMON.length);
    assert.deepEqual(
      COMMON.slice(0, 2).map(({ name }) => name),
      ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
    );
  });

  it('have healthy ones for either kind of certificate', () => {
    for (const [list, auth] of [
      [HEALTHY_RSA, 'RSA'],
      [HEALTHY_ECDSA, 'ECDSA'],
    ] as const) {
      assert.ok(list.length > 2);
      assert.ok(list.every(one => one.auth === auth && !isWeak(one)));
    }
  });
});
