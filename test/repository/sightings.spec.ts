import assert from 'node:assert/strict';
import type { Repository } from '../../lib/repository/repository';
import { onEveryProduct, useRepository } from '../support/repositories';
import { fingerprint, sampleCertificate, sampleReport, unreachable } from './samples';

onEveryProduct('what was seen', product => {
  const repository = useRepository(product);

  it('tells an endpoint as its report said', async () => {
    const check = { id: 'rc4', verdict: 'vulnerable', detail: 'TLSv1 with RC4', port: 443 } as const;
    repository().record(sampleReport({ checks: [check] }));
    assert.deepEqual(await repository().endpoints(), [
      {
        endpoint: {
          domain: 'shop.example',
          ip: '192.0.2.7',
          port: 443,
          starttls: null,
          name: 'shop.example@192.0.2.7:443',
        },
        firstSeenAt: '2026-11-01T10:00:00.000Z',
        lastRunId: 'run-1',
        lastStatus: 'scanned',
        lastSeenAt: '2026-11-01T10:00:00.000Z',
        sightings: [{ runId: 'run-1', at: '2026-11-01T10:00:00.000Z', fingerprints: [fingerprint('0A')] }],
        evidence: { runId: 'run-1', scannedAt: '2026-11-01T10:00:00.000Z', ciphers: [], checks: [check] },
      },
    ]);
  });

  it('lists the certificate of today’s clients before the others', async () => {
    repository().record(sampleReport({ otherCertificates: [sampleCertificate('0B'), sampleCertificate('0C')] }));
    const [known] = await repository().endpoints();
    assert.deepEqual(known?.sightings[0]?.fingerprints, [fingerprint('0A'), fingerprint('0B'), fingerprint('0C')]);
    assert.equal((await repository().certificates([fingerprint('0C')])).get(fingerprint('0C'))?.serialNumber, '0C');
  });

  it('keeps of an incomplete look what was served before with another type of key', async () => {
    const [rsa, ecdsa] = [sampleCertificate('0A'), sampleCertificate('EC', { keyType: 'EC' })];
    const renewed = sampleCertificate('ED', { keyType: 'EC' });
    const day = (n: number) => ({ runId: `run-${n}`, scannedAt: `2026-11-0${n}T10:00:00.000Z` });
    const incomplete = { certificatesComplete: false } as const;
    repository().record(sampleReport({ ...day(1), certificate: ecdsa, otherCertificates: [rsa] }));
    repository().record(sampleReport({ ...day(2), certificate: renewed, ...incomplete }));
    const served = async () => (await repository().endpoints())[0]?.sightings[0]?.fingerprints;
    assert.deepEqual(await served(), [fingerprint('ED'), fingerprint('0A')]);
    assert.deepEqual((await repository().endpoints())[0]?.sightings[0]?.kept, [fingerprint('0A')]);
    repository().record(sampleReport({ ...day(3), certificate: renewed, ...incomplete }));
    assert.deepEqual(await served(), [fingerprint('ED'), fingerprint('0A')]);
    repository().record(sampleReport({ ...day(4), certificate: renewed }));
    assert.deepEqual(await served(), [fingerprint('ED')]);
  });

  it('takes an incomplete look at a new endpoint for what it shows', async () => {
    repository().record(sampleReport({ certificatesComplete: false }));
    assert.deepEqual((await repository().endpoints())[0]?.sightings[0]?.fingerprints, [fingerprint('0A')]);
  });

  it('keeps the last two sightings, newest first, in whatever order reports come', async () => {
    const days = ['2026-11-03T10:00:00.000Z', '2026-11-01T10:00:00.000Z', '2026-11-04T10:00:00.000Z'];
    for (const scannedAt of days) repository().record(sampleReport({ runId: `run-${scannedAt}`, scannedAt }));
    await repository().flush();
    repository().record(sampleReport({ runId: 'run-late', scannedAt: '2026-11-02T10:00:00.000Z' }));
    const [known] = await repository().endpoints();
    assert.deepEqual(
      known?.sightings.map(sighting => sighting.at),
      ['2026-11-04T10:00:00.000Z', '2026-11-03T10:00:00.000Z'],
    );
    assert.equal(known?.firstSeenAt, '2026-11-01T10:00:00.000Z');
    assert.equal(known?.lastRunId, 'run-2026-11-04T10:00:00.000Z');
  });

  it('changes nothing when the same run reports the same endpoint again', async () => {
    const first = sampleReport();
    const again = unreachable({ scannedAt: '2026-11-01T10:00:09.000Z' });
    repository().record(first);
    repository().record(again);
    const before = await repository().endpoints();
    assert.equal(before[0]?.lastStatus, 'scanned');
    repository().record(again);
    repository().record(first);
    assert.deepEqual(await repository().endpoints(), before);
  });

  it('moves only run, status and time when the endpoint was not reached', async () => {
    repository().record(sampleReport());
    const [before] = await repository().endpoints();
    repository().record(unreachable({ runId: 'run-2', scannedAt: '2026-11-02T10:00:00.000Z' }));
    const [after] = await repository().endpoints();
    assert.deepEqual(after, {
      ...before,
      lastRunId: 'run-2',
      lastStatus: 'unreachable',
      lastSeenAt: '2026-11-02T10:00:00.000Z',
    });
  });

  it('knows an endpoint that was never reached, without evidence', async () => {
    repository().record(unreachable());
    const [known] = await repository().endpoints();
    assert.deepEqual([known?.sightings, known?.evidence], [[], null]);
  });

  it('takes evidence of a partial report without a certificate and keeps the sightings', async () => {
    repository().record(sampleReport());
    const checks = [{ id: 'rc4', verdict: 'cannot-tell' } as const];
    const partial = {
      runId: 'run-2',
      scannedAt: '2026-11-02T10:00:00.000Z',
      status: 'partial',
      certificate: null,
    } as const;
    repository().record(sampleReport({ ...partial, checks }));
    const [known] = await repository().endpoints();
    assert.equal(known?.sightings.length, 1);
    assert.deepEqual(known?.evidence?.checks, checks);
  });

  it('finds endpoints by name, by place, and by a certificate among the last two sightings', async () => {
    const old = sampleCertificate('0B');
    repository().record(sampleReport({ domain: 'a.example', port: 443, certificate: old }));
    repository().record(sampleReport({ domain: 'a.example', port: 8443 }));
    repository().record(sampleReport({ domain: 'b.example', otherCertificates: [old] }));
    const names = async (by: Parameters<Repository['endpoints']>[0]) =>
      (await repository().endpoints(by)).map(known => known.endpoint.name);

    assert.deepEqual(await names({ names: ['b.example@192.0.2.7:443', 'nobody:1'] }), ['b.example@192.0.2.7:443']);
    assert.deepEqual(await names({ places: ['a.example@192.0.2.7'] }), [
      'a.example@192.0.2.7:443',
      'a.example@192.0.2.7:8443',
    ]);
    assert.deepEqual(await names({ fingerprints: [fingerprint('0B')] }), [
      'a.example@192.0.2.7:443',
      'b.example@192.0.2.7:443',
    ]);
    assert.deepEqual(await names({ names: [] }), []);

    for (const day of ['2', '3']) {
      const later = { runId: `run-${day}`, scannedAt: `2026-11-0${day}T10:00:00.000Z` };
      repository().record(sampleReport({ ...later, domain: 'a.example' }));
      const expected =
        day === '2' ? ['a.example@192.0.2.7:443', 'b.example@192.0.2.7:443'] : ['b.example@192.0.2.7:443'];
      assert.deepEqual(await names({ fingerprints: [fingerprint('0B')] }), expected);
    }
  });

  it('calls certificates ambiguous that share issuer and serial number', async () => {
    repository().record(sampleReport({ port: 1, certificate: sampleCertificate('01') }));
    repository().record(sampleReport({ port: 2, certificate: sampleCertificate('01', { key: 'other' }) }));
    repository().record(
      sampleReport({ port: 3, certificate: sampleCertificate('01', { key: 'x', issuer: 'CN=Other' }) }),
    );
    repository().record(sampleReport({ port: 4, certificate: sampleCertificate('02') }));
    const all = [fingerprint('01'), fingerprint('01other'), fingerprint('01x'), fingerprint('02')];
    assert.deepEqual(
      [...(await repository().ambiguousCertificates(all))].sort(),
      [fingerprint('01'), fingerprint('01other')].sort(),
    );
    assert.deepEqual(
      [...(await repository().ambiguousCertificates([fingerprint('01other')]))],
      [fingerprint('01other')],
    );
  });
});
