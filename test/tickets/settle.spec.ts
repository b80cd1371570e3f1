import assert from 'node:assert/strict';
import { local } from '../../lib/helpdesks/local';
import { CertDeskError } from '../../lib/model/errors';
import type { Finding } from '../../lib/model/finding';
import type { Desk, DeskOptions } from '../../lib/tickets/desk';
import { onEveryProduct } from '../support/repositories';
import { DESK, DeskLab, type Fault } from './desk-lab';
import { check, expiry, vulnerability } from './samples';

const SETTLE_MS = 400;
const due = { message: {} };
const type = { ...local, capabilities: { ...local.capabilities, settleMs: SETTLE_MS } };

function run(number: number, finding: Finding): Finding {
  return { ...finding, runId: `run-${number}` };
}

/** A request that the desk gives up on, and that is done there only later. */
function late(call: Fault['call'], lateMs: number): Fault {
  return { call, when: 'late', error: new CertDeskError('TIMEOUT', 'no answer'), lateMs };
}

onEveryProduct('a request that takes effect after it was given up', product => {
  let lab: DeskLab;
  const open = (options: Partial<DeskOptions> = {}): Desk => lab.desk({ onCleared: 'resolve' }, { type, ...options });

  beforeEach(async () => {
    lab = await DeskLab.open(product);
  });
  afterEach(() => lab.close());

  it('is waited for before anything is sent again: one ticket', async () => {
    lab.helpdesk.faults = [late('create', SETTLE_MS / 2)];
    assert.equal((await open().handle(vulnerability(), due)).action, 'queued');
    await lab.until('record', () => lab.records.length > 0);
    assert.equal(lab.records[0]?.record.action, 'created');
    assert.equal(lab.helpdesk.count('create'), 1);
    assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
    assert.equal(lab.records[0]?.record.duplicates, undefined);
  });

  it('holds up newer Findings of its key, and a retry by hand', async () => {
    const desk = open();
    lab.helpdesk.faults = [late('create', SETTLE_MS / 2)];
    await desk.handle(vulnerability(), due);
    const asked = lab.helpdesk.calls.length;
    const newer = run(2, vulnerability({ vulnerabilities: [check('sslv3')] }));
    const record = await desk.handle(newer, due);
    await desk.retry('cd-vul-1');
    assert.equal(record.action, 'queued');
    assert.equal(record.error?.code, 'TIMEOUT');
    assert.equal(lab.helpdesk.calls.length, asked, 'nothing was sent meanwhile');
    await lab.until('record', () => lab.records.length > 0);
    assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1, 'what the newer one has to say');
  });

  it('holds up other keys not at all', async () => {
    const desk = open();
    lab.helpdesk.faults = [late('create', SETTLE_MS / 2)];
    await desk.handle(vulnerability(), due);
    assert.equal((await desk.handle(expiry(), due)).action, 'created');
  });

  it('holds up another node, and an instance that was started after a kill', async () => {
    lab.helpdesk.faults = [late('create', SETTLE_MS / 2)];
    await open({ retry: { firstMs: 60_000, mostMs: 60_000 } }).handle(expiry(), due);
    const other = open({ nodeId: 'other', claim: { leaseMs: 1_000, waitMs: 2_000 } });
    assert.equal((await other.handle(run(2, expiry()), due)).action, 'left');
    assert.equal((await lab.tickets('cd-exp-1')).length, 1);
  });

  it('does not close a ticket that was reopened: the late resolving is waited for', async () => {
    const desk = open();
    await desk.handle(expiry(), due);
    lab.helpdesk.faults = [late('resolve', SETTLE_MS / 2)];
    await desk.handle(run(2, expiry({ state: 'cleared' })), due);
    await desk.handle(run(3, expiry()), due);
    await lab.until('record', () => lab.records.length > 0);
    await lab.helpdesk.arriving;
    assert.equal((await lab.ticket('cd-exp-1')).status, 'Open');
  });

  it('adds its note once', async () => {
    const desk = open();
    await desk.handle(vulnerability(), due);
    lab.helpdesk.faults = [late('addNote', SETTLE_MS / 2)];
    await desk.handle(run(2, vulnerability()), due);
    await lab.until('record', () => lab.records.length > 0);
    assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
  });

  describe('later than the helpdesk is known to be', () => {
    /** One ticket by the second create, and one by the first that comes too late. */
    async function makeTwo(): Promise<Desk> {
      const desk = open();
      lab.helpdesk.faults = [late('create', SETTLE_MS * 3)];
      await desk.handle(expiry(), due);
      await lab.until('record', () => lab.records.length > 0);
      await lab.helpdesk.arriving;
      assert.equal((await lab.tickets('cd-exp-1')).length, 2);
      return desk;
    }

    it('is closed as a duplicate by the next run, with a note that links the oldest', async () => {
      const record = await (await makeTwo()).handle(run(2, expiry()), due);
      const [oldest, second] = await lab.tickets('cd-exp-1');
      assert.deepEqual([oldest?.status, second?.status], ['Open', 'Resolved']);
      assert.deepEqual(oldest?.notes, []);
      assert.equal(second?.notes.length, 1);
      assert.match(
        second?.notes[0]?.text ?? '',
        /^Duplicate of ticket 1, which is kept up to date\.\n\nReference: cd-note-/,
      );
      assert.deepEqual([record.id, record.duplicates], ['1', ['2']]);
    });

    it('is told and closed once, whatever breaks meanwhile', async () => {
      const desk = await makeTwo();
      lab.helpdesk.faults = [late('resolve', SETTLE_MS / 2), { ...late('addNote', 0), when: 'after' }];
      await desk.handle(run(2, expiry()), due);
      await lab.until('record', () => lab.records.length > 1);
      await desk.handle(run(3, expiry()), due);
      const [, second] = await lab.tickets('cd-exp-1');
      assert.equal(second?.status, 'Resolved');
      assert.equal(second?.notes.length, 1);
    });

    it('keeps the oldest also where that is not the one known so far', async () => {
      const desk = await makeTwo();
      lab.helpdesk.twist = ticket => ({
        ...ticket,
        createdAt: ticket.id === '2' ? '2020-01-01T00:00:00.000Z' : ticket.createdAt,
      });
      assert.equal((await desk.handle(run(2, expiry()), due)).id, '2');
      assert.equal((await lab.repository.ticket(DESK, 'cd-exp-1'))?.id, '2');
      const [first] = await lab.tickets('cd-exp-1');
      assert.equal(first?.status, 'Resolved');
    });

    it('is left open and warned of where the helpdesk refuses to close it', async () => {
      const desk = await makeTwo();
      lab.helpdesk.faults = [{ call: 'resolve', when: 'before', error: new CertDeskError('FORBIDDEN', 'not allowed') }];
      assert.equal((await desk.handle(run(2, expiry()), due)).duplicates, undefined);
      assert.match(lab.warnings.join('\n'), /^Ticket 2 is a duplicate of 1 and could not be closed: not allowed$/);
    });

    it('is not looked for after an hour without one', async () => {
      const { helpdesk } = lab;
      let clock = 0;
      const desk = open({ now: () => new Date(Date.now() + clock) });
      helpdesk.faults = [{ ...late('create', 0), when: 'before' }];
      await desk.handle(expiry(), due);
      await lab.until('record', () => lab.records.length > 0);
      assert.notEqual(lab.records[0]?.record.unsureUntil, undefined);
      const searchesOf = async (number: number): Promise<number> => {
        const before = helpdesk.count('find');
        await desk.handle(run(number, expiry()), due);
        return helpdesk.count('find') - before;
      };
      assert.equal(await searchesOf(2), 1);
      clock = 3_700_000;
      assert.equal(await searchesOf(3), 1, 'the last look is after that hour');
      assert.equal(await searchesOf(4), 0);
    });
  });

  it('leaves a second open ticket alone that no create of ours can have made, and warns', async () => {
    await open().handle(expiry(), due);
    const [ticket] = await lab.tickets('cd-exp-1');
    if (ticket === undefined) throw new Error('no ticket');
    const { id: _, ...copy } = ticket;
    await lab.repository.localTickets.create(copy);
    await open({ desk: 'a new repository' }).handle(expiry(), due);
    assert.deepEqual(
      (await lab.tickets('cd-exp-1')).map(({ status }) => status),
      ['Open', 'Open'],
    );
    assert.match(lab.warnings.join('\n'), /^Ticket 1 is kept up to date; 2 carry the same key/);
  });
});
