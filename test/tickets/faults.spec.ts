import assert from 'node:assert/strict';
import { KeyLostError } from '../../lib/helpdesks/helpdesk';
import { local } from '../../lib/helpdesks/local';
import { CertDeskError, type ErrorCode } from '../../lib/model/errors';
import type { Finding } from '../../lib/model/finding';
import type { Work } from '../../lib/repository/repository';
import type { Desk } from '../../lib/tickets/desk';
import { onEveryProduct } from '../support/repositories';
import { DESK, DeskLab, notification, type Fault } from './desk-lab';
import { check, endpoint, expiry, RC4, vulnerability } from './samples';

const due = { message: { topic: 'kept' } };

function run(number: number, finding: Finding): Finding {
  return { ...finding, runId: `run-${number}` };
}

function fault(call: Fault['call'], when: Fault['when'], code: ErrorCode, retryAfterMs?: number): Fault {
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { call, when, error: new CertDeskError(code, `${call} fails with ${code}`, options) };
}

onEveryProduct('the desk, when things break', product => {
  let lab: DeskLab;
  let desk: Desk;

  beforeEach(async () => {
    lab = await DeskLab.open(product);
    desk = lab.desk();
  });
  afterEach(() => lab.close());

  describe('an answer that got lost', () => {
    for (const code of ['TIMEOUT', 'UNREACHABLE', 'SERVER', 'PROTOCOL'] as const) {
      it(`looks before it creates again (${code})`, async () => {
        lab.helpdesk.faults = [fault('create', 'after', code)];
        const record = await desk.handle(expiry(), due);
        assert.equal(record.action, 'created');
        assert.equal((await lab.ticket('cd-exp-1')).id, record.id);
      });
    }

    it('looks again with the next try when it could not look at once', async () => {
      lab.helpdesk.faults = [fault('create', 'after', 'TIMEOUT')];
      let looks = 0;
      const find = lab.helpdesk.find.bind(lab.helpdesk);
      lab.helpdesk.find = key => (++looks === 2 ? Promise.reject(new CertDeskError('TIMEOUT', 'again')) : find(key));
      assert.equal((await desk.handle(vulnerability(), due)).action, 'queued');
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
    });

    it('waits out the search lag before it looks', async () => {
      const type = { ...local, capabilities: { ...local.capabilities, searchLagMs: 300 } };
      const lagging = lab.desk({}, { type });
      const madeAt: number[] = [];
      const find = lab.helpdesk.find.bind(lab.helpdesk);
      lab.helpdesk.faults = [fault('create', 'after', 'TIMEOUT')];
      lab.helpdesk.find = async key => {
        const found = await find(key);
        if (found.length > 0 && madeAt.length === 0) madeAt.push(Date.now());
        return found.filter(ticket => Date.now() - Date.parse(ticket.createdAt) >= 290);
      };
      assert.equal((await lagging.handle(expiry(), due)).action, 'created');
      assert.equal((await lab.tickets('cd-exp-1')).length, 1);
    });

    it('adds results once though the answer to the note was lost', async () => {
      await desk.handle(vulnerability(), due);
      lab.helpdesk.faults = [fault('addNote', 'after', 'TIMEOUT')];
      assert.equal((await desk.handle(run(2, vulnerability()), due)).action, 'updated');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });

    it('looks for the note again with the next try when it could not look at once', async () => {
      await desk.handle(vulnerability(), due);
      lab.helpdesk.faults = [fault('addNote', 'after', 'TIMEOUT'), fault('notes', 'before', 'TIMEOUT')];
      assert.equal((await desk.handle(run(2, vulnerability()), due)).action, 'queued');
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'updated');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });

    for (const [call, finding] of [
      ['reopen', vulnerability()],
      ['resolve', vulnerability({ state: 'cleared' })],
    ] as const) {
      it(`sees that the ticket changed though the answer was lost (${call})`, async () => {
        const resolving = lab.desk({ onCleared: 'resolve' });
        await resolving.handle(vulnerability(), due);
        if (call === 'reopen') await lab.setStatus('cd-vul-1', 'Closed');
        lab.helpdesk.faults = [fault(call, 'after', 'TIMEOUT')];
        assert.equal((await resolving.handle(run(2, finding), due)).action, `${call.replace(/e?$/, 'ed')}`);
        assert.equal(lab.helpdesk.count(call), 1);
      });
    }

    it('tells a reopening whose results came later as reopened', async () => {
      await desk.handle(vulnerability(), due);
      await lab.setStatus('cd-vul-1', 'Closed');
      lab.helpdesk.faults = [fault('addNote', 'before', 'SERVER')];
      assert.equal((await desk.handle(run(2, vulnerability()), due)).action, 'queued');
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'reopened');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });

    it('says at a reopening whose answer got lost what it says at any other', async () => {
      const node = lab.desk({ addResults: 'changed' });
      const places = [endpoint('shop.example', '192.0.2.7'), endpoint('shop.example', '192.0.2.8')];
      for (const [first, second] of [
        [vulnerability(), vulnerability()],
        [expiry(), expiry({ endpoints: places })],
      ] as const) {
        await node.handle(first, due);
        await lab.setStatus(first.key, 'Closed');
        const read = lab.helpdesk.get.bind(lab.helpdesk);
        lab.helpdesk.faults = [fault('reopen', 'after', 'TIMEOUT')];
        // What was read before the reopening is answered, what is read to look for it is not.
        lab.helpdesk.get = ids =>
          lab.helpdesk.count('reopen') > 0 ? Promise.reject(new CertDeskError('TIMEOUT', 'lost')) : read(ids);
        assert.equal((await node.handle(run(2, second), due)).action, 'queued');
        lab.helpdesk.get = read;
        await lab.until('record', () => lab.records.length > 0);
        assert.equal(lab.records.pop()?.record.action, 'reopened');
        assert.equal((await lab.ticket(first.key)).notes.length, 1);
        assert.equal(lab.helpdesk.count('reopen'), 1);
        lab.helpdesk.calls.length = 0;
      }
    });

    it('knows the ticket that it made though reading it back was refused', async () => {
      const create = lab.helpdesk.create.bind(lab.helpdesk);
      lab.helpdesk.create = async draft => {
        await create(draft);
        throw new CertDeskError('RATE_LIMITED', 'too many requests', { retryAfterMs: 20 });
      };
      assert.equal((await desk.handle(vulnerability(), due)).action, 'queued');
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
    });

    it('notes a clearing once though resolving failed after it', async () => {
      const resolving = lab.desk({ onCleared: 'resolve' });
      await resolving.handle(expiry(), due);
      lab.helpdesk.faults = [fault('resolve', 'before', 'SERVER')];
      await resolving.handle(run(2, expiry({ state: 'cleared' })), due);
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'resolved');
      assert.equal((await lab.ticket('cd-exp-1')).notes.length, 1);
    });
  });

  describe('a helpdesk that is away', () => {
    it('queues, says why, and tells when it is done', async () => {
      lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
      const record = await desk.handle(expiry(), due);
      assert.equal(record.action, 'queued');
      assert.equal(record.id, '');
      assert.deepEqual(record.error, { code: 'UNREACHABLE', message: 'connection refused' });
      assert.deepEqual(lab.queue, { queued: 1, parked: 0, reason: 'connection refused', code: 'UNREACHABLE' });
      lab.helpdesk.outage = null;
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.deepEqual(lab.records[0]?.work.message, { topic: 'kept' });
      assert.deepEqual(lab.records[0]?.work.finding, expiry());
      assert.deepEqual(lab.queue, { queued: 0, parked: 0, reason: null, code: null });
      assert.deepEqual(await lab.repository.work(DESK), []);
    });

    it('waits as long as the helpdesk asks, with what comes meanwhile too', async () => {
      const patient = lab.desk({}, { retry: { firstMs: 1, mostMs: 1 } });
      lab.helpdesk.faults = [fault('find', 'before', 'RATE_LIMITED', 400)];
      const started = performance.now();
      assert.equal((await patient.handle(expiry(), due)).action, 'queued');
      const asked = lab.helpdesk.calls.length;
      assert.equal((await patient.handle(vulnerability(), due)).error?.code, 'RATE_LIMITED');
      assert.equal(lab.helpdesk.calls.length, asked);
      await lab.until('record', () => lab.records.length === 2);
      assert.ok(performance.now() - started >= 390);
    });

    it('waits no longer because more comes meanwhile', async () => {
      let clock = Date.parse('2026-11-25T12:00:00.000Z');
      const patient = lab.desk({}, { retry: { firstMs: 1, mostMs: 1 }, now: () => new Date(clock) });
      lab.helpdesk.faults = [fault('find', 'before', 'RATE_LIMITED', 60_000)];
      await patient.handle(expiry(), due);
      clock += 20_000;
      await patient.handle(vulnerability(), due);
      const works = await lab.repository.work(DESK);
      assert.deepEqual(
        works.map(({ nextAt }) => nextAt),
        ['2026-11-25T12:01:00.000Z', '2026-11-25T12:01:00.000Z'],
      );
    });

    it('goes on after a restart', async () => {
      lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
      await lab.desk({}, { retry: { firstMs: 60_000, mostMs: 60_000 } }).handle(vulnerability(), due);
      lab.helpdesk.outage = null;
      await lab.desk().start();
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.equal((await lab.ticket('cd-vul-1')).subject, 'Vulnerabilities for test.example.com');
    });

    it('leaves to other nodes what is theirs', async () => {
      lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
      await lab.desk({}, { nodeId: 'other', retry: { firstMs: 60_000, mostMs: 60_000 } }).handle(expiry(), due);
      const asked = lab.helpdesk.calls.length;
      await lab.desk().start();
      await lab.desk().retry('cd-exp-1');
      assert.equal(lab.helpdesk.calls.length, asked);
      assert.equal((await lab.repository.work(DESK)).length, 1);
    });
  });

  describe('newer Findings of a key that waits', () => {
    let slow: Desk;
    beforeEach(() => {
      slow = lab.desk({}, { retry: { firstMs: 60_000, mostMs: 60_000 } });
      lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
    });

    it('take the place of older ones: one ticket, the latest results, no note', async () => {
      await slow.handle(vulnerability(), due);
      await slow.handle(run(2, vulnerability({ weakCiphers: [RC4], vulnerabilities: [check('sslv3')] })), due);
      assert.equal((await lab.repository.work(DESK)).length, 1);
      lab.helpdesk.outage = null;
      await slow.retry('cd-vul-1');
      assert.equal(lab.records.length, 1);
      const ticket = await lab.ticket('cd-vul-1');
      assert.match(ticket.body, /sslv3: Switch/);
      assert.doesNotMatch(ticket.body, /3DES/);
      assert.deepEqual(ticket.notes, []);
      // Both notices are carried out by it.
      assert.equal((await slow.handle(vulnerability(), due)).action, 'created');
    });

    it('do not make a due one forgotten by being only standing', async () => {
      await slow.handle(expiry(), due);
      await slow.handle(run(2, expiry()), notification('standing'));
      lab.helpdesk.outage = null;
      await slow.retry('cd-exp-1');
      assert.equal(lab.records[0]?.record.action, 'created');
    });

    it('make no ticket for what is over by now', async () => {
      await slow.handle(expiry(), due);
      lab.helpdesk.outage = null;
      assert.equal((await slow.handle(run(2, expiry({ state: 'cleared' })), due)).action, 'none');
      assert.deepEqual(await lab.tickets('cd-exp-1'), []);
      assert.deepEqual(lab.queue, { queued: 0, parked: 0, reason: null, code: null });
    });

    it('add their own results when the create of the older one had arrived', async () => {
      lab.helpdesk.outage = null;
      lab.helpdesk.faults = [fault('create', 'after', 'TIMEOUT')];
      const find = lab.helpdesk.find.bind(lab.helpdesk);
      let looks = 0;
      lab.helpdesk.find = key => (++looks === 2 ? Promise.resolve([]) : find(key));
      assert.equal((await slow.handle(vulnerability(), due)).action, 'queued');
      const record = await slow.handle(run(2, vulnerability({ vulnerabilities: [check('sslv3')] })), due);
      assert.equal(record.action, 'created');
      const ticket = await lab.ticket('cd-vul-1');
      assert.equal(ticket.notes.length, 1);
      assert.match(ticket.notes[0]?.text ?? '', /\nNew: sslv3\nGone: rc4\n/);
    });
  });

  describe('what a person must mend', () => {
    for (const code of [
      'AUTH',
      'FORBIDDEN',
      'NOT_FOUND',
      'INVALID',
      'CONFLICT',
      'TLS',
      'PROTOCOL',
      'CONFIG',
    ] as const) {
      it(`is raised and kept (${code})`, async () => {
        lab.helpdesk.faults = [fault('create', 'before', code)];
        await assert.rejects(desk.handle(expiry(), due), { code });
        assert.deepEqual(lab.queue, { queued: 0, parked: 1, reason: `create fails with ${code}`, code });
        const [work] = await lab.repository.work(DESK);
        assert.equal(work?.state, 'parked');
        assert.equal(lab.records.length, 0);
        await desk.retry('cd-exp-1');
        assert.equal(lab.records[0]?.record.action, 'created');
        assert.deepEqual(await lab.repository.work(DESK), []);
      });
    }

    it('is raised again when it turns up later', async () => {
      lab.helpdesk.faults = [fault('create', 'before', 'SERVER'), fault('create', 'before', 'FORBIDDEN')];
      await desk.handle(expiry(), due);
      await lab.until('parked', () => lab.parked.length > 0);
      assert.equal(lab.parked[0]?.error.code, 'FORBIDDEN');
      assert.deepEqual(lab.parked[0]?.work.message, { topic: 'kept' });
    });

    it('is tried again at the next start', async () => {
      lab.helpdesk.faults = [fault('create', 'before', 'AUTH')];
      await assert.rejects(desk.handle(expiry(), due), { code: 'AUTH' });
      await desk.close();
      await lab.desk().start();
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
    });

    it('does not make a ticket a second time because it lost its key', async () => {
      const create = lab.helpdesk.create.bind(lab.helpdesk);
      lab.helpdesk.twist = ticket => ({ ...ticket, key: '' });
      lab.helpdesk.create = async draft =>
        Promise.reject(new KeyLostError('The key did not stick.', { ...(await create(draft)), key: '' }));
      await assert.rejects(desk.handle(vulnerability(), due), { code: 'INVALID' });
      await desk.retry('cd-vul-1');
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.equal((await desk.handle(run(2, vulnerability()), due)).action, 'updated');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });
  });

  describe('a process that ends in the middle', () => {
    /** What the repository holds at the moment that a call reaches the helpdesk, as after a kill. */
    async function killAt(call: Fault['call'], finding: Finding, when: Fault['when']): Promise<void> {
      const held: { work: Work[] } = { work: [] };
      const stop = new Error('killed');
      const original = lab.helpdesk[call].bind(lab.helpdesk) as (...args: unknown[]) => Promise<unknown>;
      const replacement = async (...args: unknown[]): Promise<unknown> => {
        if (when === 'after') await original(...args);
        held.work = await lab.repository.work(DESK);
        throw stop;
      };
      Object.assign(lab.helpdesk, { [call]: replacement });
      await desk.handle(finding, due).catch(() => undefined);
      await desk.close();
      Object.assign(lab.helpdesk, { [call]: original });
      for (const work of await lab.repository.work(DESK)) await lab.repository.removeWork(work.id);
      for (const work of held.work) await lab.repository.saveWork(work);
      assert.equal(held.work.length, 1, 'the intent is written before anything is sent');
    }

    for (const when of ['before', 'after'] as const) {
      it(`creates once (${when} the create)`, async () => {
        await killAt('create', vulnerability(), when);
        await lab.desk().start();
        await lab.until('record', () => lab.records.length > 0);
        assert.equal(lab.records[0]?.record.action, 'created');
        assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
      });

      it(`notes once (${when} the note)`, async () => {
        await desk.handle(vulnerability(), due);
        await killAt('addNote', run(2, vulnerability()), when);
        await lab.desk().start();
        await lab.until('record', () => lab.records.length > 0);
        assert.equal(lab.records[0]?.record.action, 'updated');
        assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
      });

      it(`reopens and adds results once (${when} the reopening)`, async () => {
        await desk.handle(vulnerability(), due);
        await lab.setStatus('cd-vul-1', 'Resolved');
        await killAt('reopen', run(2, vulnerability()), when);
        await lab.desk().start();
        await lab.until('record', () => lab.records.length > 0);
        const ticket = await lab.ticket('cd-vul-1');
        assert.equal(ticket.status, 'Open');
        assert.equal(ticket.notes.length, 1);
      });
    }

    it('takes over a claim when its lease has run out', async () => {
      const soon = lab.desk({}, { claim: { leaseMs: 200, waitMs: 2_000 } });
      await lab.repository.claim({ desk: DESK, key: 'cd-exp-1', owner: 'killed', leaseMs: 200, now: new Date() });
      assert.equal((await soon.handle(expiry(), due)).action, 'created');
    });

    it('queues when somebody else holds the claim for too long', async () => {
      const impatient = lab.desk({}, { claim: { leaseMs: 200, waitMs: 100 } });
      await lab.repository.claim({ desk: DESK, key: 'cd-exp-1', owner: 'somebody', leaseMs: 60_000, now: new Date() });
      const record = await impatient.handle(expiry(), due);
      assert.equal(record.action, 'queued');
      assert.equal(record.error?.code, 'TIMEOUT');
    });
  });

  it('finds out again what came of an action that the repository could not take', async () => {
    const conclude = lab.repository.conclude.bind(lab.repository);
    lab.repository.conclude = () => Promise.reject(new CertDeskError('REPOSITORY', 'The disk is full.'));
    await assert.rejects(desk.handle(vulnerability(), due), { code: 'REPOSITORY' });
    assert.deepEqual(lab.queue, { queued: 1, parked: 0, reason: 'The disk is full.', code: 'REPOSITORY' });
    lab.repository.conclude = conclude;
    await lab.until('record', () => lab.records.length > 0);
    assert.equal(lab.records[0]?.record.action, 'created');
    assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
  });

  it('says nothing more once it is closed', async () => {
    let open: () => void = () => undefined;
    lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
    await desk.handle(expiry(), due);
    lab.helpdesk.gate = new Promise(resolve => (open = resolve));
    const retried = desk.retry('cd-exp-1');
    const closed = desk.close();
    open();
    await Promise.all([retried, closed]);
    await assert.rejects(desk.handle(expiry(), due), { code: 'STOPPED' });
    assert.equal(lab.records.length + lab.parked.length, 0);
    assert.equal((await lab.repository.work(DESK)).length, 2);
  });
});
