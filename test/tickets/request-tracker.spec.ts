import assert from 'node:assert/strict';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import { CertDeskError } from '../../lib/model/errors';
import type { Finding } from '../../lib/model/finding';
import { startRequestTracker, type RequestTracker } from '../lab/request-tracker';
import { skip } from '../support/skip';
import { DeskLab, FaultyHelpdesk } from './desk-lab';
import { expiry, vulnerability } from './samples';

const START_MS = 15 * 60_000;

describe('the desk on a real Request Tracker', function () {
  this.timeout(120_000);
  let rt: RequestTracker;
  let lab: DeskLab;
  let helpdesk: FaultyHelpdesk;
  const due = { message: {} };
  /** Keys of this run of the tests: tickets of earlier ones are still there. */
  const key = (name: string): string => `cd-lab-${name}-${Date.now().toString(36)}`.slice(0, 40);
  const run = (number: number, finding: Finding): Finding => ({ ...finding, runId: `run-${number}` });

  before(async function () {
    this.timeout(START_MS);
    const started = await startRequestTracker();
    if ('skipped' in started) skip(this, started.skipped);
    rt = started;
  });
  after(async () => {
    await (rt as RequestTracker | undefined)?.stop();
  });
  beforeEach(async () => {
    lab = await DeskLab.open();
    const values = { url: rt.url, auth: 'token', token: rt.token, keyField: rt.keyField };
    helpdesk = new FaultyHelpdesk(requestTracker.connect({ values, statusMap: {} }, { now: () => new Date() }));
  });
  afterEach(() => lab.close());

  const desk = (settings: Parameters<DeskLab['desk']>[0] = {}): ReturnType<DeskLab['desk']> =>
    lab.desk({ target: { queue: rt.queue }, ...settings }, { helpdesk, type: requestTracker });
  const notes = async (id: string): Promise<string[]> => (await helpdesk.notes(id)) ?? [];

  it('creates, leaves, reopens and resolves', async () => {
    const finding = expiry({ key: key('life') });
    const resolving = desk({ onCleared: 'resolve' });
    const created = await resolving.handle(finding, due);
    assert.deepEqual(
      [created.action, created.status, created.nativeStatus, created.priority],
      ['created', 'Open', 'new', 'High'],
    );
    assert.equal((await resolving.handle(run(2, finding), due)).action, 'left');
    await helpdesk.resolve(created.id, {});
    const reopened = await resolving.handle(run(3, finding), due);
    assert.deepEqual([reopened.action, reopened.nativeStatus], ['reopened', 'open']);
    const resolved = await resolving.handle(run(4, { ...finding, state: 'cleared' }), due);
    assert.deepEqual([resolved.action, resolved.nativeStatus], ['resolved', 'resolved']);
    assert.equal((await helpdesk.find(finding.key)).length, 1);
  });

  it('makes one ticket and one note though every answer is lost', async () => {
    const finding = vulnerability({ key: key('lost') });
    const lost = (call: 'create' | 'addNote') =>
      ({ call, when: 'after', error: new CertDeskError('TIMEOUT', 'lost') }) as const;
    helpdesk.faults = [lost('create'), lost('addNote')];
    const node = desk();
    const created = await node.handle(finding, due);
    assert.equal(created.action, 'created');
    assert.equal((await node.handle(run(2, finding), due)).action, 'updated');
    const texts = await notes(created.id);
    assert.equal(texts.filter(text => text.includes('Reference: cd-note-')).length, 1);
    assert.equal((await helpdesk.find(finding.key)).length, 1);
  });

  it('makes one ticket of many messages at once, of two desks that do not know each other', async () => {
    const finding = vulnerability({ key: key('many') });
    const nodes = [desk(), desk()];
    await Promise.all([1, 2, 3].flatMap(number => nodes.map(node => node.handle(run(number, finding), due))));
    assert.equal((await helpdesk.find(finding.key)).length, 1);
  });
});
