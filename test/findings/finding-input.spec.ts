import assert from 'node:assert/strict';
import { isFinding, type Finding } from '../../lib/model/finding';
import { certificate, endpoint } from './samples';

const finding: Finding = {
  kind: 'expiry',
  state: 'active',
  key: 'cd-exp-1',
  certificate: certificate('0A'),
  endpoints: [endpoint()],
  detectedAt: '2026-06-01T08:00:00.000Z',
  runId: null,
};

describe('isFinding', () => {
  it('takes a Finding of a place and one of a certificate file', () => {
    assert.equal(isFinding(finding), true);
    assert.equal(isFinding({ ...finding, endpoints: [endpoint(0, { domain: 'web.pem', ip: '' })] }), true);
  });

  for (const [what, endpoints] of [
    ['no endpoint', []],
    ['an endpoint that is null', [null]],
    ['an endpoint that is only a name', ['shop.example@192.0.2.7:443']],
    ['an endpoint without a name', [{ ...endpoint(), name: undefined }]],
    ['an endpoint without an address', [{ ...endpoint(), ip: null }]],
    ['an endpoint whose domain is left out', [{ ...endpoint(), domain: undefined }]],
    ['a port that is text', [{ ...endpoint(), port: '443' }]],
    ['a broken endpoint after a whole one', [endpoint(), {}]],
  ] as const) {
    it(`refuses one with ${what}`, () => {
      assert.equal(isFinding({ ...finding, endpoints }), false);
    });
  }
});
