import assert from 'node:assert/strict';
import { currentCertificates, isServed, lastFingerprints, successorOf } from '../../lib/findings/renewal';
import type { Certificate } from '../../lib/model/certificate';
import { certificate, endpoint } from './samples';

const OLD = certificate('0A', { notAfter: '2026-03-01T00:00:00.000Z' });
const NEW = certificate('0B', { notAfter: '2027-03-01T00:00:00.000Z' });
const EC_OLD = certificate('EC0A', { keyType: 'EC', notAfter: '2026-02-01T00:00:00.000Z' });
const EC_NEW = certificate('EC0B', { keyType: 'EC', notAfter: '2027-02-01T00:00:00.000Z' });
const ALL = new Map([OLD, NEW, EC_OLD, EC_NEW].map(c => [c.fingerprint256, c]));

/** Sightings newest first. */
function seen(...runs: Certificate[][]) {
  return {
    endpoint: endpoint(),
    sightings: runs.map((certs, index) => ({
      runId: `r${index}`,
      at: '2026-01-01T00:00:00.000Z',
      fingerprints: certs.map(c => c.fingerprint256),
    })),
  };
}

describe('renewal', () => {
  const cases: { when: string; runs: Certificate[][]; current: Certificate[]; places: Certificate[] }[] = [
    { when: 'seen once', runs: [[OLD]], current: [OLD], places: [OLD] },
    { when: 'seen twice', runs: [[OLD], [OLD]], current: [OLD], places: [OLD] },
    { when: 'just renewed', runs: [[NEW], [OLD]], current: [NEW], places: [NEW] },
    { when: 'the old one again after the new one', runs: [[OLD], [NEW]], current: [NEW], places: [] },
    { when: 'the old one alone in two runs', runs: [[OLD], [OLD], [NEW]], current: [OLD], places: [OLD] },
    { when: 'both in one run of a roll-out', runs: [[OLD, NEW], [OLD]], current: [NEW], places: [NEW] },
    { when: 'an earlier expiry, for the first time', runs: [[OLD], [NEW]], current: [NEW], places: [] },
    { when: 'RSA and ECDSA side by side', runs: [[EC_OLD, OLD]], current: [EC_OLD, OLD], places: [EC_OLD, OLD] },
    {
      when: 'one of two types renewed',
      runs: [
        [EC_NEW, OLD],
        [EC_OLD, OLD],
      ],
      current: [EC_NEW, OLD],
      places: [EC_NEW, OLD],
    },
    {
      when: 'one of two types not shown this time',
      runs: [[EC_OLD], [EC_OLD, OLD]],
      current: [EC_OLD, OLD],
      places: [EC_OLD],
    },
    { when: 'RSA replaced by ECDSA', runs: [[EC_NEW], [OLD]], current: [EC_NEW], places: [EC_NEW] },
    { when: 'nothing seen', runs: [], current: [], places: [] },
  ];
  for (const { when, runs, current, places } of cases) {
    it(`tells what is current: ${when}`, () => {
      const names = (certs: Certificate[]) => certs.map(c => c.serialNumber);
      assert.deepEqual(names(currentCertificates(seen(...runs), ALL)), names(current));
      const served = [...ALL.values()].filter(c => isServed(seen(...runs), c.fingerprint256, ALL));
      assert.deepEqual(names(served).toSorted(), names(places).toSorted());
    });
  }

  it('takes a certificate file as it was read last, all of it', () => {
    const file = { ...seen([OLD, NEW], [EC_OLD]), endpoint: endpoint(0, { domain: 'site.pem', ip: '' }) };
    assert.deepEqual(currentCertificates(file, ALL), [OLD, NEW]);
  });

  it('prefers the later start when two end on the same day', () => {
    const again = certificate('0C', { notAfter: OLD.notAfter, notBefore: '2026-02-01T00:00:00.000Z' });
    const certificates = new Map([...ALL, [again.fingerprint256, again]]);
    assert.deepEqual(currentCertificates(seen([OLD], [again]), certificates), [again]);
  });

  it('forgets a certificate after two runs without it', () => {
    assert.equal(lastFingerprints(seen([NEW], [OLD])).has('FP:0A'), true);
    assert.equal(lastFingerprints(seen([NEW], [NEW], [OLD])).has('FP:0A'), false);
  });

  it('names as successor the newest of the same key type, else the newest', () => {
    assert.equal(successorOf(OLD, [EC_NEW, NEW, OLD]), NEW);
    assert.equal(successorOf(OLD, [EC_OLD, EC_NEW]), EC_NEW);
    assert.equal(successorOf(OLD, [OLD]), undefined);
  });
});
