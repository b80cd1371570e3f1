import assert from 'node:assert/strict';
import type { CheckId } from '../../lib/model/checks';
import { makeEndpoint } from '../../lib/model/endpoint';
import { PROTOCOLS, type Protocol, type Verdict } from '../../lib/model/report';
import { newObservation, type Observation } from '../../lib/scan/observation';
import { makeChecks } from '../../lib/scan/probes/registry';
import { findSuite, type Suite } from '../../lib/scan/suites/suites';

const ENDPOINT = makeEndpoint({ domain: 'a.example', ip: '192.0.2.1', port: 443, starttls: null });
const NOW = new Date('2026-02-11T14:05:00Z');

function suite(code: number): Suite {
  const found = findSuite('classic', code);
  assert.ok(found);
  return found;
}

/** A server that refuses everything but TLS 1.2, changed by `change`. */
function seen(change: (observation: Observation) => void = () => {}): Observation {
  const observation = newObservation(ENDPOINT, NOW);
  for (const protocol of PROTOCOLS)
    observation.protocols[protocol] = { state: 'refused', reason: 'alert protocol_version' };
  observation.protocols['TLSv1.2'] = { state: 'offered', reason: 'it answered' };
  observation.accepted['TLSv1.2'].add(suite(0xc02f));
  observation.renegotiation.secure.add('TLSv1.2');
  change(observation);
  return observation;
}

function verdict(observation: Observation, id: CheckId): Verdict | undefined {
  return makeChecks(observation, { profile: 'quick', checks: [] }, new Map()).find(check => check.id === id)?.verdict;
}

const accept =
  (protocol: Protocol, code: number) =>
  (observation: Observation): void => {
    observation.protocols[protocol] = { state: 'offered', reason: 'it answered' };
    observation.accepted[protocol].add(suite(code));
  };
const silent =
  (protocol: Protocol) =>
  (observation: Observation): void => {
    observation.protocols[protocol] = { state: 'cannot-tell', reason: 'it did not answer in time' };
  };
const undecided =
  (protocol: Protocol, code: number) =>
  (observation: Observation): void => {
    observation.undecided.push({ protocol, suites: [suite(code)], reason: 'it reset the connection' });
  };

describe('the checks of versions and suites', () => {
  for (const [id, what, change, expected] of [
    ['sslv3', 'SSLv3 refused', () => {}, 'ok'],
    ['sslv3', 'SSLv3 offered', accept('SSLv3', 0x0005), 'vulnerable'],
    ['sslv3', 'SSLv3 unknown', silent('SSLv3'), 'cannot-tell'],
    ['poodle-ssl', 'SSLv3 with RC4', accept('SSLv3', 0x0005), 'ok'],
    ['poodle-ssl', 'SSLv3 with CBC', accept('SSLv3', 0x002f), 'vulnerable'],
    ['poodle-ssl', 'CBC in TLS 1.0', accept('TLSv1', 0x002f), 'ok'],
    ['poodle-ssl', 'CBC in SSLv3 not asked to the end', undecided('SSLv3', 0x002f), 'cannot-tell'],
    ['poodle-ssl', 'SSLv3 unknown', silent('SSLv3'), 'cannot-tell'],
    ['rc4', 'nothing', () => {}, 'ok'],
    ['rc4', 'RC4 in TLS 1.2', accept('TLSv1.2', 0x0005), 'vulnerable'],
    ['rc4', 'RC4 not asked to the end', undecided('TLSv1.2', 0x0005), 'cannot-tell'],
    ['rc4', 'something else not asked to the end', undecided('TLSv1.2', 0x002f), 'ok'],
    ['rc4', 'TLS 1.0 unknown', silent('TLSv1'), 'cannot-tell'],
    ['null-cipher', 'NULL', accept('TLSv1.2', 0x003b), 'vulnerable'],
    ['anonymous-cipher', 'DH without certificate', accept('TLSv1.2', 0x006c), 'vulnerable'],
    ['export-cipher', 'EXPORT', accept('TLSv1', 0x0008), 'vulnerable'],
    ['des', 'single DES', accept('TLSv1', 0x0009), 'vulnerable'],
    ['des', '3DES', accept('TLSv1', 0x000a), 'ok'],
    ['sweet32', '3DES', accept('TLSv1', 0x000a), 'vulnerable'],
    ['sweet32', 'AES', accept('TLSv1', 0x002f), 'ok'],
    ['cbc-beast', 'CBC in TLS 1.0', accept('TLSv1', 0xc013), 'vulnerable'],
    ['cbc-beast', 'CBC in TLS 1.2', accept('TLSv1.2', 0xc013), 'ok'],
    ['no-forward-secrecy', 'static RSA', accept('TLSv1.2', 0x009c), 'vulnerable'],
    ['no-forward-secrecy', 'ECDHE', accept('TLSv1.2', 0xc013), 'ok'],
    ['freak', 'RSA_EXPORT', accept('TLSv1', 0x0003), 'vulnerable'],
    ['freak', 'DHE_EXPORT', accept('TLSv1', 0x0014), 'ok'],
    ['logjam', 'DHE_EXPORT', accept('TLSv1', 0x0014), 'vulnerable'],
    ['logjam', 'RSA_EXPORT', accept('TLSv1', 0x0003), 'ok'],
    ['logjam', 'DHE with an unseen prime', accept('TLSv1.2', 0x009e), 'cannot-tell'],
    ['logjam', 'DHE not asked to the end', undecided('TLSv1.2', 0x009e), 'cannot-tell'],
    ['crime', 'compression', (o: Observation) => void o.compressed.add('TLSv1.2'), 'vulnerable'],
    ['crime', 'none', () => {}, 'ok'],
    ['insecure-renegotiation', 'RFC 5746', () => {}, 'ok'],
    [
      'insecure-renegotiation',
      'no RFC 5746 in TLS 1.0',
      (o: Observation) => void o.renegotiation.insecure.add('TLSv1'),
      'vulnerable',
    ],
    [
      'insecure-renegotiation',
      'no RFC 5746 in SSLv3, beside TLS 1.2 that has it',
      (o: Observation) => void o.renegotiation.insecure.add('SSLv3'),
      'ok',
    ],
    ['no-tls13', 'no TLS 1.3', () => {}, 'vulnerable'],
    ['no-tls13', 'TLS 1.3 unknown', silent('TLSv1.3'), 'cannot-tell'],
    ['drown', 'SSLv2 unknown', silent('SSLv2'), 'cannot-tell'],
    ['expired', 'no certificate', () => {}, 'cannot-tell'],
    ['must-staple', 'no certificate', () => {}, 'cannot-tell'],
  ] as [CheckId, string, (observation: Observation) => void, Verdict][]) {
    it(`${id}: ${what} is ${expected}`, () => {
      assert.equal(verdict(seen(change), id), expected);
    });
  }

  for (const [bits, expected] of [
    [512, 'vulnerable'],
    [1024, 'vulnerable'],
    [1025, 'ok'],
    [2048, 'ok'],
  ] as const) {
    it(`logjam: a prime of ${bits} bits is ${expected}`, () => {
      const observation = seen(accept('TLSv1.2', 0x009e));
      observation.primes.push({ protocol: 'TLSv1.2', suite: suite(0x009e), bits });
      assert.equal(verdict(observation, 'logjam'), expected);
    });
  }

  it('say skipped for what is left out, and cannot-tell for what was not asked', () => {
    const of = (settings: Parameters<typeof makeChecks>[1], id: CheckId): unknown => {
      const found = makeChecks(seen(), settings, new Map()).find(check => check.id === id);
      return [found?.verdict, found?.detail];
    };
    assert.deepEqual(of({ profile: 'quick', checks: ['rc4'] }, 'des'), ['skipped', 'not asked for']);
    assert.deepEqual(of({ profile: 'quick', checks: [] }, 'ticketbleed'), ['skipped', 'not asked for']);
    assert.deepEqual(of({ profile: 'full', checks: [] }, 'ticketbleed'), ['cannot-tell', 'It was not asked.']);
  });

  it('name what they found, at most three and how many more', () => {
    const observation = seen();
    for (const code of [0x0004, 0x0005, 0xc011, 0xc007]) accept('TLSv1.2', code)(observation);
    const rc4 = makeChecks(observation, { profile: 'quick', checks: [] }, new Map()).find(check => check.id === 'rc4');
    assert.match(rc4?.detail ?? '', /^Accepts suites with RC4: TLS_RSA_WITH_RC4_128_MD5 in TLSv1\.2, .* and 1 more; /);
    assert.equal(rc4?.port, 443);
  });
});
