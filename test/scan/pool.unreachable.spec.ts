import assert from 'node:assert/strict';
import { CHECK_IDS } from '../../lib/model/checks';
import { makeEndpoint } from '../../lib/model/endpoint';
import { failureReason } from '../../lib/model/report';
import { makeUnreachable } from '../../lib/scan/unreachable';

describe('makeUnreachable', () => {
  const named = makeEndpoint({ domain: 'a.example', ip: '192.0.2.1', port: 443, starttls: null });
  const mail = makeEndpoint({ domain: 'a.example', ip: '192.0.2.1', port: 25, starttls: 'smtp' });
  const bare = makeEndpoint({ domain: null, ip: '192.0.2.1', port: 443, starttls: null });
  const context = {
    runId: 'run-1',
    settings: { profile: 'quick' as const, checks: [] },
    scannedAt: '2026-01-02T03:04:05.000Z',
  };

  it('names the stage that failed, those before it well, those after it skipped', () => {
    assert.deepEqual(makeUnreachable(named, 'tcp', 'ECONNREFUSED', context).stages, {
      dns: { status: 'ok' },
      tcp: { status: 'failed', reason: 'ECONNREFUSED' },
      starttls: { status: 'skipped' },
      handshake: { status: 'skipped' },
      trust: { status: 'skipped' },
    });
    assert.deepEqual(makeUnreachable(mail, 'handshake', 'TIMEOUT', context).stages, {
      dns: { status: 'ok' },
      tcp: { status: 'ok' },
      starttls: { status: 'ok' },
      handshake: { status: 'failed', reason: 'TIMEOUT' },
      trust: { status: 'skipped' },
    });
    assert.equal(makeUnreachable(named, 'dns', 'ENOTFOUND', context).stages.tcp.status, 'skipped');
    assert.equal(makeUnreachable(bare, 'tcp', 'TIMEOUT', context).stages.dns.status, 'skipped');
    assert.equal(failureReason(makeUnreachable(named, 'dns', 'ENOTFOUND', context)), 'ENOTFOUND');
  });

  it('knows nothing, so that nothing counts as clean', () => {
    const report = makeUnreachable(named, 'tcp', 'STOPPED', context);
    assert.equal(report.status, 'unreachable');
    assert.equal(report.certificate, null);
    assert.deepEqual([report.chain, report.otherCertificates, report.ciphers], [[], [], []]);
    assert.deepEqual(new Set(Object.values(report.protocols)), new Set(['cannot-tell']));
    assert.equal(Object.keys(report.protocols).length, 6);
    const verdicts = new Map(report.checks.map(({ id, verdict }) => [id, verdict]));
    assert.deepEqual([...verdicts.keys()], [...CHECK_IDS]);
    assert.equal(verdicts.get('heartbleed'), 'cannot-tell');
    assert.equal(verdicts.get('ticketbleed'), 'skipped', 'only in profile full');
    assert.match(report.checks[0]?.detail ?? '', /tcp STOPPED/);
  });

  it('skips what was not asked for', () => {
    const settings = { profile: 'full' as const, checks: ['sslv3' as const] };
    const { checks } = makeUnreachable(named, 'tcp', 'TIMEOUT', { ...context, settings });
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict !== 'skipped').map(({ id }) => id),
      ['sslv3'],
    );
    const full = makeUnreachable(named, 'tcp', 'TIMEOUT', { ...context, settings: { ...settings, checks: [] } });
    assert.ok(full.checks.every(({ verdict }) => verdict === 'cannot-tell'));
  });
});
