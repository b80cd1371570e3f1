import assert from 'node:assert/strict';
import { UnreadyHelpdesk } from '../../lib/helpdesks/unready';
import { CertDeskError } from '../../lib/model/errors';
import type { Finding } from '../../lib/model/finding';
import type { Desk, DeskOptions } from '../../lib/tickets/desk';
import { takeUp } from '../../lib/tickets/take-up';
import { makeWork } from '../../lib/tickets/work';
import { onEveryProduct } from '../support/repositories';
import { DESK, DeskLab, notification } from './desk-lab';
import { waitFor } from '../support/wait';
import { expiry, vulnerability } from './samples';

const due = { message: { topic: 'kept' } };
const PATIENT = { retry: { firstMs: 60_000, mostMs: 60_000 } };

function run(number: number, finding: Finding): Finding {
  return { ...finding, runId: `run-${number}` };
}

onEveryProduct('work that was left behind', product => {
  let lab: DeskLab;
  beforeEach(async () => {
    lab = await DeskLab.open(product);
  });
  afterEach(() => lab.close());

  /** A desk that could not reach its helpdesk, closed with what it had taken. */
  async function leave(options: Partial<DeskOptions>, ...findings: Finding[]): Promise<void> {
    const desk = lab.desk({}, { ...PATIENT, ...options });
    lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
    for (const finding of findings) assert.equal((await desk.handle(finding, due)).action, 'queued');
    await desk.close();
    lab.helpdesk.outage = null;
  }
  const startWith = async (alive: readonly string[], options: Partial<DeskOptions> = {}): Promise<Desk> => {
    const desk = lab.desk({}, { isNodeAlive: id => alive.includes(id), ...options });
    await desk.start();
    return desk;
  };
  const waiting = (): Promise<string[]> =>
    lab.repository.work().then(works => works.map(({ desk, nodeId, state }) => `${desk} ${nodeId} ${state}`));

  describe('at a start', () => {
    it('goes with its node to the desk that the node has now', async () => {
      await leave({ desk: 'old' }, vulnerability());
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.equal((await lab.repository.ticket(DESK, 'cd-vul-1'))?.id, (await lab.ticket('cd-vul-1')).id);
      assert.deepEqual(await waiting(), []);
    });

    it('forgets what was sent to the other desk: a ticket there is none here', async () => {
      const desk = lab.desk({}, { ...PATIENT, desk: 'old' });
      lab.helpdesk.faults = [{ call: 'create', when: 'before', error: new CertDeskError('TIMEOUT', 'no answer') }];
      await desk.handle(vulnerability(), due);
      await desk.close();
      // Nobody here remembers it, and the create of this work went elsewhere: it gets the results.
      const at = '2020-02-11T14:05:09.000Z';
      const ticket = { key: 'cd-vul-1', subject: 'S', body: 'B', status: 'Open', priority: 'High', notes: [] };
      await lab.repository.localTickets.create({ ...ticket, createdAt: at, updatedAt: at });
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'updated');
    });

    it('is taken over from a node that is no more', async () => {
      await leave({ nodeId: 'gone' }, expiry());
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
      assert.deepEqual(lab.records[0]?.work.message, { topic: 'kept' });
      assert.deepEqual(await waiting(), []);
    });

    it('stays with a node that is there, and with another desk’s', async () => {
      await leave({ nodeId: 'neighbour' }, expiry());
      await leave({ nodeId: 'gone', desk: 'elsewhere' }, vulnerability());
      const asked = lab.helpdesk.calls.length;
      await startWith(['node-1', 'neighbour']);
      assert.equal(lab.helpdesk.calls.length, asked);
      assert.deepEqual(await waiting(), ['lab neighbour queued', 'elsewhere gone queued']);
    });

    it('is done once though two nodes would take it over', async () => {
      await leave({ nodeId: 'gone' }, vulnerability({ runId: null }));
      await Promise.all([startWith(['node-1', 'node-2']), startWith(['node-1', 'node-2'], { nodeId: 'node-2' })]);
      await lab.until('record', () => lab.records.length > 0);
      for (const desk of [lab.desk(), lab.desk({}, { nodeId: 'node-2' })]) await desk.retry('cd-vul-1');
      assert.equal(lab.records.length, 1);
      assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
      assert.deepEqual(await waiting(), []);
    });

    it('is not brought back by who read of it before another took it over and did it', async () => {
      await leave({ nodeId: 'gone' }, expiry());
      const { repository } = lab;
      const read = await repository.work();
      const slow = {
        work: () => Promise.resolve(read),
        changeWork: repository.changeWork.bind(repository),
        saveWork: repository.saveWork.bind(repository),
        removeWork: repository.removeWork.bind(repository),
      };
      const isNodeAlive = (id: string): boolean => id !== 'gone';
      const [taken] = await takeUp(repository, { desk: DESK, nodeId: 'node-1', isNodeAlive });
      assert.equal(taken?.key, 'cd-exp-1');
      assert.deepEqual(await takeUp(slow, { desk: DESK, nodeId: 'node-2', isNodeAlive }), []);
      assert.deepEqual(await waiting(), ['lab node-1 queued']);
    });

    it('becomes one work per key, so that what is over by now opens nothing', async () => {
      await leave({ desk: 'old' }, expiry());
      await leave({}, run(2, expiry({ state: 'cleared' })));
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length > 0);
      assert.deepEqual(
        lab.records.map(({ record }) => record.action),
        ['none'],
      );
      assert.deepEqual(await lab.tickets('cd-exp-1'), []);
      assert.deepEqual(await waiting(), []);
    });
  });

  describe('by another instance of the same flow', () => {
    it('is looked for at the helpdesk before its note is sent again', async () => {
      const one = lab.desk({}, PATIENT);
      await one.handle(vulnerability(), due);
      // Sent, and killed before it was concluded: the intent is there, the answer is not.
      lab.helpdesk.faults = [{ call: 'addNote', when: 'after', error: new CertDeskError('TIMEOUT', 'no answer') }];
      const notes = lab.helpdesk.notes.bind(lab.helpdesk);
      lab.helpdesk.notes = () => Promise.reject(new CertDeskError('TIMEOUT', 'no answer'));
      assert.equal((await one.handle(run(2, vulnerability()), due)).action, 'queued');
      lab.helpdesk.notes = notes;
      const other = lab.desk();
      assert.equal((await other.handle(run(2, vulnerability()), due)).action, 'updated');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });

    it('is looked for too when the claim of the killed one had to be waited for', async () => {
      const { id } = await lab.desk().handle(vulnerability(), due);
      const second = run(2, vulnerability());
      const { marker } = makeWork({
        ...{ desk: DESK, nodeId: 'n', finding: second, message: {} },
        now: new Date(),
      }).message;
      await lab.helpdesk.addNote(id, `Told.\n\nReference: ${marker}`);
      const claim = { desk: DESK, key: 'cd-vul-1', owner: 'killed', leaseMs: 300, now: new Date() };
      assert.equal(await lab.repository.claim(claim), true);
      assert.equal((await lab.desk().handle(second, due)).action, 'updated');
      assert.equal((await lab.ticket('cd-vul-1')).notes.length, 1);
    });

    it('is forgotten by who took it up as well when the other one has done it', async () => {
      await leave({}, vulnerability());
      const [one, other] = [lab.desk({}, PATIENT), lab.desk({}, PATIENT)];
      lab.helpdesk.outage = new CertDeskError('UNREACHABLE', 'connection refused');
      const asked = lab.helpdesk.calls.length;
      await Promise.all([one.start(), other.start()]);
      await waitFor(
        () => lab.helpdesk.calls.length === asked + 2,
        5_000,
        () => 'both to try it',
      );
      lab.helpdesk.outage = null;
      await one.retry('cd-vul-1');
      assert.equal((await other.handle(run(2, vulnerability()), notification('standing'))).action, 'left');
      assert.deepEqual((await lab.ticket('cd-vul-1')).notes, []);
      assert.equal(lab.queue.queued, 0);
    });
  });

  describe('by settings that are not whole', () => {
    const error = new CertDeskError('CONFIG', 'Enter a token in the connection to the lab.');
    const unready = { desk: 'lab:', helpdesk: new UnreadyHelpdesk(error) };

    it('is parked with that error, and done by the mended node', async () => {
      const broken = lab.desk({}, unready);
      await broken.start();
      for (const finding of [expiry(), vulnerability(), vulnerability({ key: 'cd-vul-2', state: 'cleared' })]) {
        await assert.rejects(broken.handle(finding, due), error);
      }
      assert.deepEqual(await waiting(), ['lab: node-1 parked', 'lab: node-1 parked', 'lab: node-1 parked']);
      await broken.close();
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length === 3);
      assert.deepEqual(lab.records.map(({ record }) => record.action).sort(), ['created', 'created', 'none']);
      assert.deepEqual(await waiting(), []);
    });

    it('stays due though the policy called a later run standing', async () => {
      const broken = lab.desk({}, unready);
      await assert.rejects(broken.handle(expiry(), notification('new')), error);
      await assert.rejects(broken.handle(run(2, expiry()), notification('standing')), error);
      await broken.close();
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length > 0);
      assert.equal(lab.records[0]?.record.action, 'created');
    });

    it('is what a check answers', async () => {
      assert.deepEqual(await lab.desk({}, unready).check(), {
        ok: false,
        checks: [{ id: 'settings', ok: false, detail: error.message }],
      });
    });
  });

  describe('by a desk that closes', () => {
    it('is kept though it came too late, and done after the next start', async () => {
      const desk = lab.desk();
      const closed = desk.close();
      await assert.rejects(desk.handle(expiry(), due), { code: 'STOPPED' });
      await closed;
      await assert.rejects(desk.handle(vulnerability(), due), { code: 'STOPPED' });
      assert.deepEqual(lab.helpdesk.calls, []);
      assert.deepEqual(await waiting(), ['lab node-1 queued', 'lab node-1 queued']);
      await startWith(['node-1']);
      await lab.until('record', () => lab.records.length === 2);
      assert.deepEqual(
        lab.records.map(({ record }) => record.action),
        ['created', 'created'],
      );
    });

    it('is kept when it still waited its turn behind one that hangs', async () => {
      let open: () => void = () => undefined;
      lab.helpdesk.gate = new Promise(resolve => (open = resolve));
      const desk = lab.desk({}, { closeWaitMs: 50 });
      const first = desk.handle(expiry(), due);
      const second = desk.handle(run(2, expiry({ state: 'cleared' })), due);
      await desk.close();
      assert.deepEqual(await waiting(), ['lab node-1 queued', 'lab node-1 queued']);
      open();
      await Promise.allSettled([first, second]);
    });

    it('is refused as before when nothing can be made of it', async () => {
      const desk = lab.desk();
      await desk.close();
      const broken = { ...expiry(), endpoints: undefined } as unknown as Finding;
      await assert.rejects(desk.handle(broken, due), { code: 'BAD_MESSAGE' });
      assert.deepEqual(await waiting(), []);
    });
  });
});
