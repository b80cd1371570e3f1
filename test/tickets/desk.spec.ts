import assert from 'node:assert/strict';
import { CertDeskError } from '../../lib/model/errors';
import type { Finding } from '../../lib/model/finding';
import type { Desk } from '../../lib/tickets/desk';
import { onEveryProduct } from '../support/repositories';
import { DESK, DeskLab, notification } from './desk-lab';
import { certificate, check, endpoint, expiry, RC4, vulnerability } from './samples';

/** The same Finding in another run. */
function run(number: number, finding: Finding): Finding {
  return { ...finding, runId: `run-${number}` };
}

onEveryProduct('the desk', product => {
  let lab: DeskLab;
  let desk: Desk;
  const due = { message: {} };

  beforeEach(async () => {
    lab = await DeskLab.open(product);
    desk = lab.desk();
  });
  afterEach(() => lab.close());

  describe('expiry', () => {
    it('creates one ticket with the standard text, High, and keeps what the spec wants kept', async () => {
      const record = await desk.handle(expiry(), due);
      const ticket = await lab.ticket('cd-exp-1');
      assert.equal(ticket.subject, 'SSL Certificate shop.example expiry');
      assert.equal(ticket.priority, 'High');
      assert.equal(record.action, 'created');
      assert.equal(record.number, ticket.id);
      assert.equal(record.status, 'Open');
      assert.equal(record.ip, '192.0.2.7');
      assert.equal(record.serialNumber, '0A1B2C');
      assert.deepEqual(await lab.repository.ticket(DESK, 'cd-exp-1'), record);
    });

    it('leaves an open one, also in progress and on hold', async () => {
      await desk.handle(expiry(), due);
      for (const [index, status] of ['Open', 'In Progress', 'On Hold'].entries()) {
        await lab.setStatus('cd-exp-1', status);
        const record = await desk.handle(run(index + 2, expiry()), due);
        assert.equal(record.action, 'left');
        assert.equal(record.status, status);
      }
      assert.deepEqual((await lab.ticket('cd-exp-1')).notes, []);
    });

    it('names a new place in one note', async () => {
      await desk.handle(expiry(), due);
      const endpoints = [endpoint('mail.shop.example', '192.0.2.9'), ...expiry().endpoints];
      assert.equal((await desk.handle(run(2, expiry({ endpoints })), due)).action, 'commented');
      assert.equal((await desk.handle(run(3, expiry({ endpoints })), due)).action, 'left');
      const { notes } = await lab.ticket('cd-exp-1');
      assert.equal(notes.length, 1);
      assert.match(notes[0]?.text ?? '', /is also served at:\nmail\.shop\.example@192\.0\.2\.9\nExpiry Date/);
    });

    for (const status of ['Resolved', 'Canceled', 'Closed'] as const) {
      it(`reopens one that is ${status}, due or standing`, async () => {
        await desk.handle(expiry(), due);
        for (const [index, reason] of (['due', 'standing'] as const).entries()) {
          await lab.setStatus('cd-exp-1', status);
          const record = await desk.handle(run(index + 2, expiry()), notification(reason));
          assert.equal(record.action, 'reopened');
          assert.equal(record.status, 'Open');
        }
        assert.equal((await lab.ticket('cd-exp-1')).status, 'Open');
      });
    }

    it('warns of a status that nobody knows and leaves the ticket', async () => {
      await desk.handle(expiry(), due);
      await lab.setStatus('cd-exp-1', 'Waiting for vendor');
      const record = await desk.handle(run(2, expiry()), due);
      assert.equal(record.action, 'left');
      assert.equal(record.nativeStatus, 'Waiting for vendor');
      assert.match(lab.warnings.join(), /"Waiting for vendor".*status map/);
    });

    it('opens nothing for what is only standing', async () => {
      const record = await desk.handle(expiry(), notification('standing'));
      assert.equal(record.action, 'none');
      assert.equal(record.id, '');
      assert.deepEqual(await lab.tickets('cd-exp-1'), []);
    });
  });

  describe('vulnerability', () => {
    it('adds the latest results to an open one and says what changed', async () => {
      await desk.handle(vulnerability(), due);
      const later = vulnerability({ weakCiphers: [RC4], vulnerabilities: [check('rc4'), check('heartbleed')] });
      assert.equal((await desk.handle(run(2, later), due)).action, 'updated');
      const [note] = (await lab.ticket('cd-vul-1')).notes;
      assert.match(note?.text ?? '', /^test\.example\.com\nexample\.com\n192\.168\.205\.35\n/);
      assert.match(note?.text ?? '', /\n\nNew: heartbleed\nGone: TLS_RSA_WITH_3DES_EDE_CBC_SHA\nStill there: /);
    });

    it('reopens a closed one and adds the latest results', async () => {
      await desk.handle(vulnerability(), due);
      await lab.setStatus('cd-vul-1', 'Closed');
      assert.equal((await desk.handle(run(2, vulnerability()), due)).action, 'reopened');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });

    it('only reopens it when the policy has nothing to say', async () => {
      await desk.handle(vulnerability(), due);
      await lab.setStatus('cd-vul-1', 'Closed');
      assert.equal((await desk.handle(run(2, vulnerability()), notification('standing'))).action, 'reopened');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 0);
    });

    it('adds equal results again, or not, as it is set', async () => {
      const quiet = lab.desk({ addResults: 'changed' });
      await quiet.handle(vulnerability(), due);
      assert.equal((await quiet.handle(run(2, vulnerability()), due)).action, 'left');
      assert.equal((await quiet.handle(run(3, vulnerability({ weakCiphers: [RC4] })), due)).action, 'updated');
      assert.equal((await desk.handle(run(4, vulnerability({ weakCiphers: [RC4] })), due)).action, 'updated');
    });

    it('does nothing about what cannot be told, not even ask', async () => {
      await desk.handle(vulnerability(), due);
      await lab.setStatus('cd-vul-1', 'Closed');
      const asked = lab.helpdesk.calls.length;
      const record = await desk.handle(run(2, vulnerability({ state: 'unknown' })), notification('standing'));
      assert.equal(record.action, 'left');
      assert.equal(lab.helpdesk.calls.length, asked);
      assert.equal((await lab.ticket('cd-vul-1')).status, 'Closed');
    });

    it('gives two places with the same certificate a ticket each', async () => {
      const other = vulnerability({ key: 'cd-vul-2', endpoints: [endpoint('example.com', '192.168.0.23')] });
      await Promise.all([desk.handle(vulnerability(), due), desk.handle(other, due)]);
      assert.equal((await lab.ticket('cd-vul-1')).subject, 'Vulnerabilities for test.example.com');
      assert.equal((await lab.ticket('cd-vul-2')).subject, 'Vulnerabilities for example.com');
    });
  });

  describe('cleared', () => {
    const replacedBy = certificate({ serialNumber: '77' });

    for (const finding of [expiry(), vulnerability()]) {
      const cleared = { ...finding, state: 'cleared' as const, replacedBy };

      it(`${finding.kind}: one note by default, until the key was active again`, async () => {
        await desk.handle(finding, due);
        assert.equal((await desk.handle(run(2, cleared), notification('cleared'))).action, 'commented');
        assert.equal((await desk.handle(run(3, cleared), notification('standing'))).action, 'left');
        assert.equal((await lab.ticket(finding.key)).notes.length, 1);
        await desk.handle(run(4, finding), notification('standing'));
        assert.equal((await desk.handle(run(5, cleared), notification('cleared'))).action, 'commented');
      });

      it(`${finding.kind}: resolves an open one where that is set, with a note`, async () => {
        const resolving = lab.desk({ onCleared: 'resolve' });
        await resolving.handle(finding, due);
        assert.equal((await resolving.handle(run(2, cleared), due)).action, 'resolved');
        const ticket = await lab.ticket(finding.key);
        assert.equal(ticket.status, 'Resolved');
        assert.equal(ticket.notes.length, 1);
      });

      it(`${finding.kind}: leaves it where that is set`, async () => {
        const leaving = lab.desk({ onCleared: 'leave' });
        await leaving.handle(finding, due);
        assert.equal((await leaving.handle(run(2, cleared), due)).action, 'left');
        assert.deepEqual((await lab.ticket(finding.key)).notes, []);
      });

      it(`${finding.kind}: never touches one that is closed, and opens none`, async () => {
        assert.equal((await desk.handle(cleared, due)).action, 'none');
        await desk.handle(run(2, finding), due);
        await lab.setStatus(finding.key, 'Closed');
        assert.equal((await desk.handle(run(3, cleared), due)).action, 'left');
        assert.equal((await lab.ticket(finding.key)).status, 'Closed');
      });
    }
  });

  describe('once', () => {
    it('carries the same notice out once, however often and however fast it comes', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => desk.handle(vulnerability(), due)));
      assert.deepEqual(new Set(answers.map(record => record.action)), new Set(['created']));
      const ticket = await lab.ticket('cd-vul-1');
      assert.deepEqual(ticket.notes, []);
    });

    it('takes a Finding of no run as a notice of its own each time', async () => {
      const finding = vulnerability({ runId: null });
      for (let time = 0; time < 3; time += 1) await desk.handle(finding, due);
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 2);
    });

    it('does what is due although a policy of another mind called the same run standing', async () => {
      assert.equal((await desk.handle(expiry(), notification('standing'))).action, 'none');
      assert.equal((await desk.handle(expiry(), notification('due'))).action, 'created');
      assert.equal((await desk.handle(expiry(), notification('standing'))).action, 'created');
    });

    it('makes one ticket when two desks share the repository', async () => {
      const other = lab.desk({}, { nodeId: 'node-2' });
      const findings = Array.from({ length: 10 }, (_, index) => run(index, expiry()));
      const all = await Promise.all(
        findings.flatMap(finding => [desk.handle(finding, due), other.handle(finding, due)]),
      );
      assert.equal((await lab.tickets('cd-exp-1')).length, 1);
      assert.equal(new Set(all.map(record => record.id)).size, 1);
    });

    it('finds the ticket by its key when the repository has forgotten it', async () => {
      await lab.helpdesk.create({ key: 'cd-exp-1', subject: 'S', body: '', priority: 'High', target: {}, fields: {} });
      const record = await desk.handle(expiry(), due);
      assert.equal(record.action, 'left');
      assert.equal(record.id, (await lab.ticket('cd-exp-1')).id);
    });

    it('prefers an open ticket to a closed one, the oldest open, the newest closed', async () => {
      const make = () =>
        lab.helpdesk.create({ key: 'cd-exp-1', subject: 'S', body: '', priority: 'High', target: {}, fields: {} });
      const [first, second, third] = [await make(), await make(), await make()];
      const close = (id: string) => lab.repository.localTickets.setStatus(id, 'Closed', new Date().toISOString());
      await close(first.id);
      assert.equal((await desk.handle(expiry(), due)).id, second.id);
      await close(second.id);
      assert.equal((await desk.handle(run(2, expiry()), due)).id, third.id);
      await close(third.id);
      const record = await lab.desk({}, { desk: 'forgetful' }).handle(run(3, expiry()), due);
      assert.equal(record.action, 'reopened');
      assert.equal(record.id, third.id);
    });

    it('prefers among closed ones what can be opened again', async () => {
      const make = () =>
        lab.helpdesk.create({ key: 'cd-exp-1', subject: 'S', body: '', priority: 'High', target: {}, fields: {} });
      const [first, second] = [await make(), await make()];
      for (const { id } of [first, second]) {
        await lab.repository.localTickets.setStatus(id, 'Closed', new Date().toISOString());
      }
      lab.helpdesk.twist = ticket => (ticket.id === second.id ? { ...ticket, isFinal: true } : ticket);
      const record = await desk.handle(expiry(), due);
      assert.deepEqual([record.action, record.id], ['reopened', first.id]);
    });

    it('goes on with what is there when the repository was restored from an old backup', async () => {
      const { id } = await desk.handle(expiry(), due);
      const backup = await lab.repository.ticket(DESK, 'cd-exp-1');
      assert.ok(backup);
      await lab.setStatus('cd-exp-1', 'Closed');
      await desk.handle(run(2, expiry()), due);
      lab.helpdesk.deleted.add(id);
      const followUp = await desk.handle(run(3, expiry()), due);
      await lab.repository.saveTicket(DESK, backup);
      const record = await desk.handle(run(4, expiry()), due);
      assert.deepEqual([record.action, record.id], ['left', followUp.id]);
    });

    it('takes no ticket of another key for its own, whatever a search gives', async () => {
      const stranger = await lab.helpdesk.create({
        ...{ key: 'cd-exp-10', subject: 'S', body: '', priority: 'High', target: {}, fields: {} },
      });
      lab.helpdesk.find = () => Promise.resolve([stranger, { ...stranger, key: '' }]);
      const record = await desk.handle(expiry(), due);
      assert.equal(record.action, 'created');
      assert.notEqual(record.id, stranger.id);
    });

    it('asks for the statuses of many known tickets at once', async () => {
      const findings = Array.from({ length: 100 }, (_, index) => expiry({ key: `cd-exp-${index}` }));
      await Promise.all(findings.map(finding => desk.handle(finding, due)));
      const before = lab.helpdesk.calls.length;
      await Promise.all(findings.map(finding => desk.handle(run(2, finding), due)));
      assert.ok(lab.helpdesk.calls.length - before <= 5, `${lab.helpdesk.calls.length - before} calls`);
    });
  });

  describe('in a helpdesk that people work in', () => {
    it('follows up a deleted ticket once, naming it', async () => {
      const { id } = await desk.handle(expiry(), due);
      lab.helpdesk.deleted.add(id);
      const record = await desk.handle(run(2, expiry()), due);
      assert.equal(record.action, 'followed-up');
      assert.equal((await desk.handle(run(3, expiry()), due)).action, 'left');
      const [, followUp] = await lab.tickets('cd-exp-1');
      assert.equal(followUp?.id, record.id);
      assert.match(
        followUp?.body ?? '',
        new RegExp(`\n\nFollow-up of ticket ${id}, which was deleted or merged away\\.$`),
      );
    });

    it('takes over the ticket that ours was merged into', async () => {
      const { id } = await desk.handle(expiry(), due);
      const target = await lab.helpdesk.create({
        key: 'cd-vul-9',
        subject: 'Web server',
        body: '',
        priority: 'High',
        target: {},
        fields: {},
      });
      lab.helpdesk.merged.set(id, target.id);
      for (const number of [2, 3]) {
        const record = await desk.handle(run(number, expiry()), due);
        assert.equal(record.action, 'left');
        assert.equal(record.id, target.id);
      }
    });

    it('follows up one that is closed for good, and does not loop', async () => {
      const { id } = await desk.handle(vulnerability(), due);
      await lab.setStatus('cd-vul-1', 'Closed');
      lab.helpdesk.faults = [
        { call: 'reopen', when: 'before', error: new CertDeskError('CONFLICT', 'closed for good') },
      ];
      const record = await desk.handle(run(2, vulnerability()), notification('standing'));
      assert.equal(record.action, 'followed-up');
      assert.notEqual(record.id, id);
      assert.equal((await desk.handle(run(3, vulnerability()), notification('standing'))).action, 'left');
      assert.equal((await lab.tickets('cd-vul-1')).length, 2);
      assert.equal(lab.helpdesk.count('reopen'), 1);
    });

    it('knows its ticket by the subject when somebody edited the key away, and does not resolve it', async () => {
      const resolving = lab.desk({ onCleared: 'resolve' });
      const { id } = await resolving.handle(expiry(), due);
      lab.helpdesk.twist = ticket => ({ ...ticket, key: '' });
      assert.equal((await resolving.handle(run(2, expiry()), due)).id, id);
      assert.equal((await resolving.handle(run(3, expiry({ state: 'cleared' })), due)).action, 'commented');
      assert.equal((await lab.ticket('cd-exp-1')).status, 'Open');
    });

    it('does not take a stranger’s ticket for its own because of the number', async () => {
      const { id } = await desk.handle(expiry(), due);
      lab.helpdesk.twist = ticket => (ticket.id === id ? { ...ticket, key: '', subject: 'Printer on fire' } : ticket);
      const record = await desk.handle(run(2, expiry()), due);
      assert.equal(record.action, 'followed-up');
      assert.notEqual(record.id, id);
    });
  });

  it('takes what a message says instead of the settings', async () => {
    const overrides = { priority: 'Low', target: { queue: 'Web' }, fields: { due: '{{expiryDate}}' } };
    const seen: unknown[] = [];
    const create = lab.helpdesk.create.bind(lab.helpdesk);
    lab.helpdesk.create = draft => (seen.push([draft.priority, draft.target, draft.fields]), create(draft));
    await lab
      .desk({ target: { queue: 'General', requester: 'a@b.c' }, fields: { site: 'Berlin' } })
      .handle(expiry(), { overrides, message: {} });
    assert.deepEqual(seen, [['Low', { queue: 'Web', requester: 'a@b.c' }, { site: 'Berlin', due: 'Feb 25, 2020' }]]);
  });

  it('refuses a template that cannot be read, by its name', () => {
    assert.throws(
      () => lab.desk({ body: '{{#open}}' }),
      (error: CertDeskError) => error.code === 'CONFIG' && error.message.startsWith('body '),
    );
  });

  it('refuses a Finding that is not whole', async () => {
    const broken = { ...expiry(), certificate: { notAfter: 'never' } } as unknown as Finding;
    await assert.rejects(desk.handle(broken, due), { code: 'BAD_MESSAGE' });
    assert.deepEqual(await lab.repository.work(DESK), []);
  });

  it('leaves no work and no claim behind', async () => {
    await desk.handle(vulnerability(), due);
    assert.deepEqual(await lab.repository.work(DESK), []);
    assert.equal(
      await lab.repository.claim({
        desk: DESK,
        key: 'cd-vul-1',
        owner: 'somebody else',
        leaseMs: 1_000,
        now: new Date(),
      }),
      true,
    );
  });
});
