import assert from 'node:assert/strict';
import { CertDeskError } from '../../lib/model/errors';
import type { Page, PageQuery } from '../../lib/repository/repository';
import { onEveryProduct, useRepository } from '../support/repositories';
import { fingerprint, sampleCertificate, sampleRecord, sampleReport, sampleSummary, unreachable } from './samples';

onEveryProduct('runs', product => {
  const repository = useRepository(product, '2026-12-30T12:00:00.000Z');
  const begun = { runId: 'run-1', startedAt: '2026-11-01T10:00:00.000Z', forced: false };

  it('have no summary until they end', async () => {
    await repository().beginRun(begun);
    assert.equal(await repository().runSummary('run-1'), null);
    await repository().endRun(sampleSummary('run-1'));
    assert.deepEqual(await repository().runSummary('run-1'), sampleSummary('run-1'));
  });

  it('are told when they end, once, with everything recorded to be read', async () => {
    const told: Promise<[string, number]>[] = [];
    repository().onRunEnded(summary => {
      told.push(
        repository()
          .endpoints()
          .then(known => [summary.runId, known.length]),
      );
    });
    await repository().beginRun(begun);
    repository().record(sampleReport());
    await repository().endRun(sampleSummary('run-1'));
    await repository().endRun(sampleSummary('run-1'));
    assert.deepEqual(await Promise.all(told), [['run-1', 1]]);
  });

  it('are told to everybody but who left, also when one listener throws', async () => {
    const told: string[] = [];
    const warned = new Promise<Error>(resolve => process.once('warning', resolve));
    repository().onRunEnded(() => {
      throw new Error('listener broke');
    });
    repository().onRunEnded(() => told.push('stays'));
    repository().onRunEnded(() => told.push('leaves'))();
    await repository().endRun(sampleSummary('run-1'));
    assert.deepEqual(told, ['stays']);
    assert.match((await warned).message, /run-1.*listener broke/s);
  });
});

onEveryProduct('pages', product => {
  const repository = useRepository(product, '2026-12-30T12:00:00.000Z');
  async function walk<T>(read: (page: PageQuery) => Promise<Page<T>>, limit: number): Promise<T[]> {
    const found: T[] = [];
    for (let after: string | undefined; ;) {
      const page = await read({ limit, after });
      found.push(...page.items);
      if (page.next === null) return found;
      after = page.next;
    }
  }
  const minute = (index: number) => `2026-11-01T10:${String(index).padStart(2, '0')}:00.000Z`;

  it('show tickets of every desk newest first, each once, also where several share a moment', async () => {
    for (let index = 0; index < 7; index++) {
      for (const desk of ['rt', 'local']) {
        await repository().saveTicket(
          desk,
          sampleRecord(`k${index}`, { helpdesk: desk, createdAt: minute(index >> 1) }),
        );
      }
    }
    const all = await walk(page => repository().ticketPage(page), 3);
    assert.equal(new Set(all.map(record => `${record.helpdesk} ${record.key}`)).size, 14);
    assert.equal(all.length, 14);
    assert.equal(all[0]?.key, 'k6');
    assert.deepEqual(
      all.map(record => record.createdAt),
      all.map(record => record.createdAt).toSorted((a, b) => (a < b ? 1 : -1)),
    );
    assert.equal((await repository().ticketPage({})).total, 14);
  });

  it('go on where they were when something newer came between', async () => {
    for (const index of [1, 2, 3, 4])
      await repository().endRun(sampleSummary(`run-${index}`, { finishedAt: minute(index) }));
    const first = await repository().runPage({ limit: 2 });
    await repository().endRun(sampleSummary('run-5', { finishedAt: minute(5) }));
    const second = await repository().runPage({ limit: 2, after: first.next ?? '' });
    assert.deepEqual(
      [...first.items, ...second.items].map(summary => summary.runId),
      ['run-4', 'run-3', 'run-2', 'run-1'],
    );
    assert.deepEqual([second.total, second.next], [5, null]);
  });

  it('leave out runs that go on', async () => {
    await repository().beginRun({ runId: 'run-1', startedAt: minute(0), forced: false });
    assert.deepEqual(await repository().runPage({}), { items: [], total: 0, next: null });
  });

  it('have 100 items unless asked for others, at least 1 and at most 1,000', async () => {
    for (let index = 0; index < 1002; index++)
      repository().record(sampleReport({ port: index, certificate: sampleCertificate(`${index}.`) }));
    const sizes = [];
    for (const limit of [undefined, 0, -5, 7.9, 5_000, Number.NaN]) {
      sizes.push((await repository().certificatePage({ limit })).items.length);
    }
    assert.deepEqual(sizes, [100, 1, 1, 7, 1000, 100]);
  });

  it('refuse a cursor that is none', async () => {
    for (const after of ['x', 'W10', Buffer.from('["a",1]').toString('base64url')]) {
      await assert.rejects(
        repository().certificatePage({ after }),
        (error: unknown) => error instanceof CertDeskError && error.code === 'BAD_MESSAGE',
      );
    }
  });

  it('show a certificate with its places, days left and whether it is still served', async () => {
    const served = (run: string, day: string, certificate: string, port: number) =>
      repository().record(
        sampleReport({
          runId: run,
          scannedAt: `2026-11-${day}T10:00:00.000Z`,
          certificate: sampleCertificate(certificate),
          port,
        }),
      );
    served('run-1', '01', '0A', 443);
    served('run-1', '01', '0A', 8443);
    served('run-2', '02', '0B', 443);
    repository().record(unreachable({ runId: 'run-2', scannedAt: '2026-11-02T10:00:00.000Z', port: 8443 }));
    const [renewed, old] = (await repository().certificatePage({})).items;
    assert.deepEqual(
      [renewed?.serialNumber, renewed?.endpoints.map(endpoint => endpoint.port), renewed?.current, renewed?.daysLeft],
      ['0B', [443], true, 0],
    );
    assert.deepEqual(
      [old?.serialNumber, old?.endpoints.map(endpoint => endpoint.port), old?.current],
      ['0A', [443, 8443], true],
    );
    assert.deepEqual([old?.firstSeenAt, old?.lastSeenAt], ['2026-11-01T10:00:00.000Z', '2026-11-01T10:00:00.000Z']);

    served('run-3', '03', '0B', 8443);
    const after = (await repository().certificatePage({})).items;
    assert.deepEqual(
      after.map(item => [item.fingerprint256, item.current]),
      [
        [fingerprint('0B'), true],
        [fingerprint('0A'), false],
      ],
    );
  });
});

onEveryProduct('pruning', product => {
  const repository = useRepository(product, '2026-12-30T12:00:00.000Z');
  it('removes old runs and carried notices, and keeps tickets, certificates and what is known of a place', async () => {
    repository().record(sampleReport({ runId: 'old', scannedAt: '2025-01-01T10:00:00.000Z' }));
    await repository().endRun(
      sampleSummary('old', { startedAt: '2025-01-01T10:00:00.000Z', finishedAt: '2025-01-01T10:01:00.000Z' }),
    );
    await repository().endRun(
      sampleSummary('young', { startedAt: '2026-12-30T11:00:00.000Z', finishedAt: '2026-12-30T11:01:00.000Z' }),
    );
    const notice = { key: 'k', runId: 'old', state: 'active' } as const;
    await repository().saveTicket('rt', sampleRecord('k', { createdAt: '2025-01-01T10:00:00.000Z' }));
    await repository().conclude('rt', { ticket: null, carried: [notice], record: sampleRecord('k') });
    const known = await repository().endpoints();

    await repository().prune(365, new Date('2026-12-30T12:00:00.000Z'));
    assert.deepEqual(
      (await repository().runPage({})).items.map(summary => summary.runId),
      ['young'],
    );
    assert.notEqual(await repository().carried('rt', notice), null, 'it was carried out today');
    await repository().prune(365, new Date('2028-01-01T12:00:00.000Z'));
    assert.equal(await repository().carried('rt', notice), null);
    assert.notEqual(await repository().ticket('rt', 'k'), null);
    assert.equal((await repository().certificatePage({})).total, 1);
    assert.deepEqual(await repository().endpoints(), known);
  });

  it('takes the sightings of a run with it, so that its reports would be new again', async () => {
    const old = sampleReport({ runId: 'old', scannedAt: '2025-01-01T10:00:00.000Z' });
    for (let port = 1; port <= 450; port++)
      repository().record({ ...old, endpoint: { ...old.endpoint, port, name: `p${port}` } });
    await repository().prune(30, new Date('2026-12-30T12:00:00.000Z'));
    assert.equal((await repository().endpoints()).length, 450);
    repository().record(sampleReport({ runId: 'old', scannedAt: '2026-12-30T10:00:00.000Z' }));
    assert.equal((await repository().endpoints({ places: ['shop.example@192.0.2.7'] })).length, 451);
  });
});
