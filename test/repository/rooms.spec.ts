import assert from 'node:assert/strict';
import { CertDeskError } from '../../lib/model/errors';
import type { LocalTicket } from '../../lib/repository/repository';
import { onEveryProduct, useRepository } from '../support/repositories';
import { sampleFinding, sampleKnownFinding, sampleNotice, sampleRecord, sampleWork } from './samples';

onEveryProduct('what was found', product => {
  const repository = useRepository(product);
  it('comes back as it was saved, by kind, place or key', async () => {
    const here = sampleKnownFinding('cd-vul-1');
    const there = sampleKnownFinding('cd-vul-2', {
      place: 'b.example@192.0.2.8',
      clearedAt: '2026-11-02T00:00:00.000Z',
    });
    const expiry = sampleKnownFinding('cd-exp-1', {
      finding: sampleFinding('cd-exp-1', { kind: 'expiry' }),
      place: null,
    });
    await repository().saveFindings([there, here, expiry]);
    assert.deepEqual(await repository().findings({ kind: 'vulnerability' }), [here, there]);
    assert.deepEqual(await repository().findings({ kind: 'expiry' }), [expiry]);
    assert.deepEqual(await repository().findings({ kind: 'vulnerability', places: ['b.example@192.0.2.8'] }), [there]);
    assert.deepEqual(await repository().findings({ kind: 'vulnerability', keys: ['cd-vul-1', 'cd-exp-1'] }), [here]);
    assert.deepEqual(await repository().findings({ kind: 'vulnerability', keys: [] }), []);
  });

  it('is replaced by key', async () => {
    await repository().saveFindings([sampleKnownFinding('cd-vul-1')]);
    const cleared = sampleKnownFinding('cd-vul-1', { clearedAt: '2026-11-03T00:00:00.000Z', causes: [] });
    await repository().saveFindings([cleared]);
    assert.deepEqual(await repository().findings({ kind: 'vulnerability' }), [cleared]);
  });
});

onEveryProduct('what was told', product => {
  const repository = useRepository(product);
  it('is one memory per policy', async () => {
    await repository().saveNotices('weekly', [sampleNotice('k', { count: 1 })]);
    await repository().saveNotices('daily', [sampleNotice('k', { count: 5 })]);
    await repository().saveNotices('daily', [
      sampleNotice('k', { count: 6, snoozedUntil: '2026-12-01T00:00:00.000Z' }),
    ]);
    assert.equal((await repository().notices('weekly', ['k', 'other'])).get('k')?.count, 1);
    const expected = sampleNotice('k', { count: 6, snoozedUntil: '2026-12-01T00:00:00.000Z' });
    assert.deepEqual([...(await repository().notices('daily', ['k', 'other']))], [['k', expected]]);
  });

  it('remembers what is retired until it is not', async () => {
    await repository().setRetired('daily', 'shop.example@192.0.2.7', true);
    await repository().setRetired('daily', 'shop.example@192.0.2.7', true);
    await repository().setRetired('daily', 'cd-exp-1', true);
    await repository().setRetired('daily', 'cd-exp-1', false);
    assert.deepEqual([...(await repository().retired('daily'))], ['shop.example@192.0.2.7']);
    assert.equal((await repository().retired('weekly')).size, 0);
  });
});

onEveryProduct('tickets', product => {
  const repository = useRepository(product);
  it('are kept per desk and key', async () => {
    await repository().saveTicket('rt', sampleRecord('k'));
    await repository().saveTicket('rt', sampleRecord('k', { status: 'Resolved' }));
    assert.deepEqual(await repository().ticket('rt', 'k'), sampleRecord('k', { status: 'Resolved' }));
    assert.equal(await repository().ticket('local', 'k'), null);
  });

  it('let one owner act at a time, until the lease is over', async () => {
    const at = (seconds: number) => new Date(Date.UTC(2026, 10, 1, 0, 0, seconds));
    const claim = (owner: string, second: number, desk = 'rt'): Promise<boolean> =>
      repository().claim({ desk, key: 'k', owner, leaseMs: 10_000, now: at(second) });
    assert.equal(await claim('a', 0), true);
    assert.equal(await claim('b', 9), false);
    assert.equal(await claim('b', 9, 'local'), true, 'another desk is another claim');
    assert.equal(await claim('a', 9), true, 'the owner may prolong');
    assert.equal(await claim('b', 18), false, 'prolonged');
    assert.equal(await claim('b', 19), true, 'taken over');
    await repository().releaseClaim('rt', 'k', 'a');
    assert.equal(await claim('a', 20), false, 'only the owner releases');
    await repository().releaseClaim('rt', 'k', 'b');
    assert.equal(await claim('a', 20), true);
    assert.equal(await claim('b', -3_570), false, 'the clock was set back by an hour, which a claim may last');
    assert.equal(await claim('b', -3_571), true, 'it was set back further');
  });

  it('give exactly one of many who claim at once the right', async () => {
    const now = new Date();
    const claims = Array.from({ length: 50 }, (_, index) =>
      repository().claim({ desk: 'rt', key: 'k', owner: `owner-${index}`, leaseMs: 10_000, now }),
    );
    assert.equal((await Promise.all(claims)).filter(Boolean).length, 1);
  });

  it('know a notice that was carried out by key, run and state', async () => {
    const notice = { key: 'k', runId: 'run-1', state: 'active' } as const;
    await repository().conclude('rt', { ticket: null, carried: [notice], record: sampleRecord('k') });
    assert.deepEqual(await repository().carried('rt', notice), sampleRecord('k'));
    assert.equal(await repository().carried('rt', { ...notice, state: 'cleared' }), null);
    assert.equal(await repository().carried('rt', { ...notice, runId: 'run-2' }), null);
    assert.equal(await repository().carried('local', notice), null);
  });
});

onEveryProduct('work that waits', product => {
  const repository = useRepository(product);
  it('comes oldest first, per desk and key, until it is removed', async () => {
    const old = sampleWork('w2', { createdAt: '2026-11-01T09:00:00.000Z' });
    const other = sampleWork('w3', { desk: 'rt' });
    await repository().saveWork(sampleWork('w1'));
    await repository().saveWork(old);
    await repository().saveWork(other);
    const again = sampleWork('w1', { attempts: 2, state: 'parked' });
    await repository().saveWork(again);
    assert.deepEqual(await repository().work('local'), [old, again]);
    assert.deepEqual(await repository().work('rt', 'cd-vul-1'), [other]);
    assert.deepEqual(await repository().work('rt', 'cd-vul-2'), []);
    await repository().removeWork('w2');
    assert.deepEqual(await repository().work('local'), [again]);
  });
});

onEveryProduct('work that goes to another desk', product => {
  const repository = useRepository(product);
  const moved = sampleWork('w1', { desk: 'rt', nodeId: 'n2' });

  it('is found among all that waits, and saved it is kept there alone', async () => {
    const other = sampleWork('w2', { desk: 'znuny', createdAt: '2026-11-01T09:00:00.000Z' });
    await repository().saveWork(sampleWork('w1'));
    await repository().saveWork(other);
    assert.deepEqual(await repository().work(), [other, sampleWork('w1')]);
    await repository().saveWork(moved);
    assert.deepEqual(await repository().work('local'), []);
    assert.deepEqual(await repository().work('rt'), [moved]);
  });

  it('goes to one of two who take it at once', async () => {
    const was = sampleWork('w1');
    await repository().saveWork(was);
    const taken = await Promise.all([
      repository().changeWork(was, moved),
      repository().changeWork(was, { ...moved, nodeId: 'n3' }),
    ]);
    assert.deepEqual(taken, [true, false]);
    assert.deepEqual(await repository().work(), [moved]);
  });

  it('stays removed when it was done meanwhile', async () => {
    assert.equal(await repository().changeWork(sampleWork('w1'), moved), false);
    assert.deepEqual(await repository().work(), []);
  });
});

onEveryProduct('tickets of the embedded desk', product => {
  const repository = useRepository(product);
  const draft: Omit<LocalTicket, 'id'> = {
    key: 'k',
    subject: 'SSL Certificate a\u0000b \u{1F512} expiry',
    body: 'line\nline',
    status: 'Open',
    priority: 'High',
    createdAt: '2026-11-01T10:00:00.000Z',
    updatedAt: '2026-11-01T10:00:00.000Z',
    notes: [],
  };

  it('are numbered from 1', async () => {
    assert.equal((await repository().localTickets.create(draft)).id, '1');
    assert.equal((await repository().localTickets.create(draft)).id, '2');
    assert.deepEqual(
      (await repository().localTickets.findByKey('k')).map(ticket => ticket.id),
      ['1', '2'],
    );
  });

  it('come back whole, whatever their text holds', async () => {
    await repository().localTickets.create(draft);
    assert.deepEqual(await repository().localTickets.get(['1', '7', 'x', '1 or 1']), [{ ...draft, id: '1' }]);
  });

  it('keep status and notes in order', async () => {
    const { id } = await repository().localTickets.create(draft);
    await repository().localTickets.addNote(id, { at: '2026-11-02T10:00:00.000Z', text: 'first' });
    await repository().localTickets.addNote(id, { at: '2026-11-03T10:00:00.000Z', text: 'second' });
    await repository().localTickets.setStatus(id, 'Closed', '2026-11-04T10:00:00.000Z');
    const [ticket] = await repository().localTickets.get([id]);
    assert.equal(ticket?.status, 'Closed');
    assert.equal(ticket?.updatedAt, '2026-11-04T10:00:00.000Z');
    assert.deepEqual(
      ticket?.notes.map(note => note.text),
      ['first', 'second'],
    );
  });

  it('say which number does not exist', async () => {
    const expected = (error: unknown) =>
      error instanceof CertDeskError && error.code === 'NOT_FOUND' && error.message.includes('no ticket 7');
    await assert.rejects(repository().localTickets.setStatus('7', 'Closed', '2026-11-04T10:00:00.000Z'), expected);
    await assert.rejects(repository().localTickets.addNote('7', { at: '', text: '' }), expected);
  });
});
