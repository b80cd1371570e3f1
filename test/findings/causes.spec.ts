import assert from 'node:assert/strict';
import { causesAt, causesOfFinding, isResolved } from '../../lib/findings/causes';
import { DEFAULT_FINDING_SETTINGS, type FindingSettings } from '../../lib/findings/settings';
import type { CheckId } from '../../lib/model/checks';
import type { Cipher, Protocol, ProtocolState, Verdict } from '../../lib/model/report';
import { checks, cipher, endpoint, report } from './samples';

const RUN = { runId: 'r', at: '2026-06-01T00:00:00.000Z' };

describe('causes', () => {
  const suites: { offered: Cipher; insecure: boolean; noForwardSecrecy: boolean; weak: boolean }[] = [
    { offered: cipher('rc4'), insecure: true, noForwardSecrecy: true, weak: true },
    { offered: cipher('3des'), insecure: false, noForwardSecrecy: true, weak: true },
    { offered: cipher('rsaGcm'), insecure: false, noForwardSecrecy: true, weak: true },
    { offered: cipher('dheCbc'), insecure: false, noForwardSecrecy: false, weak: true },
    { offered: cipher('ecdheGcm'), insecure: false, noForwardSecrecy: false, weak: false },
    { offered: cipher('dheCbc', 'TLSv1.1'), insecure: true, noForwardSecrecy: true, weak: true },
    { offered: cipher('ssl2', 'SSLv2'), insecure: true, noForwardSecrecy: true, weak: true },
  ];
  for (const { offered, insecure, noForwardSecrecy, weak } of suites) {
    it(`weighs ${offered.name} in ${offered.protocol} by weakFrom`, () => {
      const counts = (weakFrom: FindingSettings['weakFrom']): boolean =>
        causesAt(report({ ...RUN, ciphers: [offered] }), { ...DEFAULT_FINDING_SETTINGS, weakFrom }).length > 0;
      assert.deepEqual(
        [counts('insecure'), counts('no-forward-secrecy'), counts('weak')],
        [insecure, noForwardSecrecy, weak],
      );
    });
  }

  it('counts vulnerable checks of the list only', () => {
    const seen = report({ ...RUN, checks: { heartbleed: 'vulnerable', 'no-tls13': 'vulnerable', rc4: 'cannot-tell' } });
    assert.deepEqual(causesAt(seen, DEFAULT_FINDING_SETTINGS), ['192.0.2.7:443 heartbleed']);
  });

  const resolutions: {
    cause: string;
    checks: Partial<Record<CheckId, Verdict>>;
    ciphers?: Cipher[];
    protocols?: Partial<Record<Protocol, ProtocolState>>;
    over: boolean;
  }[] = [
    { cause: 'heartbleed', checks: { heartbleed: 'ok' }, over: true },
    { cause: 'heartbleed', checks: { heartbleed: 'not-applicable' }, over: true },
    { cause: 'heartbleed', checks: { heartbleed: 'cannot-tell' }, over: false },
    { cause: 'heartbleed', checks: { heartbleed: 'skipped' }, over: false },
    { cause: 'heartbleed', checks: { heartbleed: 'vulnerable' }, over: false },
    { cause: 'robot', checks: {}, over: false },
    { cause: 'insecure-suite', checks: {}, over: true },
    { cause: 'insecure-suite', checks: {}, ciphers: [cipher('rc4')], over: false },
    { cause: 'insecure-suite', checks: { rc4: 'cannot-tell' }, over: false },
    { cause: 'insecure-suite', checks: { des: 'skipped' }, over: false },
    { cause: 'insecure-suite', checks: {}, protocols: { TLSv1: 'cannot-tell' }, over: false },
    { cause: 'suite-below-tls12', checks: {}, protocols: { 'TLSv1.2': 'cannot-tell' }, over: true },
    { cause: 'suite-below-tls12', checks: {}, protocols: { SSLv3: 'cannot-tell' }, over: false },
    { cause: 'weak-suite', checks: {}, ciphers: [cipher('dheCbc')], over: false },
    { cause: 'weak-suite', checks: {}, ciphers: [cipher('rc4')], over: true },
    { cause: 'no-forward-secrecy-suite', checks: { 'no-forward-secrecy': 'cannot-tell' }, over: false },
  ];
  for (const { cause, over, ...parts } of resolutions) {
    it(`${over ? 'takes' : 'does not take'} ${cause} for over after ${JSON.stringify(parts)}`, () => {
      assert.equal(isResolved(`192.0.2.7:443 ${cause}`, report({ ...RUN, ...parts })), over);
    });
  }

  it('takes suites of last known evidence for complete only where all their checks are decided', () => {
    const evidence = (verdicts: Partial<Record<CheckId, Verdict>>) => ({
      endpoint: endpoint(),
      ciphers: [],
      checks: checks(verdicts),
      protocols: null,
    });
    const decided = { sslv2: 'ok', sslv3: 'ok', tls10: 'ok', tls11: 'ok' } as const;
    assert.equal(isResolved('192.0.2.7:443 suite-below-tls12', evidence(decided)), true);
    assert.equal(isResolved('192.0.2.7:443 suite-below-tls12', evidence({})), false);
  });

  it('reads the causes back from a Finding', () => {
    const found = causesOfFinding({
      endpoints: [endpoint(443, { ip: '2001:db8::7' })],
      vulnerabilities: [{ id: 'heartbleed', verdict: 'vulnerable', port: 8443 }],
      weakCiphers: [cipher('rc4', 'TLSv1'), cipher('rc4', 'TLSv1.1')],
    });
    assert.deepEqual(found, [
      '[2001:db8::7]:8443 heartbleed',
      '[2001:db8::7]:443 insecure-suite',
      '[2001:db8::7]:443 no-forward-secrecy-suite',
      '[2001:db8::7]:443 suite-below-tls12',
    ]);
  });
});
