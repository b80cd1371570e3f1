import assert from 'node:assert/strict';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import type { Helpdesk, TicketDraft } from '../../lib/helpdesks/helpdesk';
import { startRequestTracker, type RequestTracker } from '../lab/request-tracker';
import { skip } from '../support/skip';
import { describeAdapter } from './contract';

/** The first time installs a few hundred packages. */
const START_MS = 15 * 60_000;
/** Each of its answers costs a good part of a second of CPU, which other tests may want as well. */
const TEST_MS = 120_000;
const services = { now: () => new Date() };

/** What an administrator does, by the same REST interface with the rights of root. */
async function asAdmin(rt: RequestTracker, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${rt.url}/REST/2.0${path}`, {
    method,
    headers: { Authorization: `token ${rt.adminToken}`, 'Content-Type': 'application/json', 'User-Agent': 'lab' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.status === 204 ? undefined : answer.json();
}

function connect(rt: RequestTracker, values: Record<string, string> = {}): Helpdesk {
  const all = { url: rt.url, auth: 'token', token: rt.token, keyField: rt.keyField, ...values };
  return requestTracker.connect({ values: all, statusMap: {} }, services);
}

describeAdapter({
  type: requestTracker,
  openTimeoutMs: START_MS,
  testTimeoutMs: TEST_MS,
  settable: ['new', 'open', 'stalled', 'resolved', 'rejected'],
  open: async () => {
    const rt = await startRequestTracker();
    if ('skipped' in rt) return rt;
    const values = { url: rt.url, auth: 'token', token: rt.token, keyField: rt.keyField };
    return {
      helpdesk: connect(rt),
      connect: statusMap => requestTracker.connect({ values, statusMap }, services),
      target: { queue: rt.queue },
      badTarget: { queue: 'Nobody has this queue' },
      setStatus: async (id, Status) => {
        await asAdmin(rt, 'PUT', `/ticket/${id}`, { Status });
      },
      body: async id => {
        const list = (await asAdmin(rt, 'GET', `/ticket/${id}/attachments?fields=Content&per_page=100`)) as {
          items: { id: string; Content: string }[];
        };
        return list.items.sort((a, b) => Number(a.id) - Number(b.id))[0]?.Content ?? '';
      },
      remove: async id => {
        await asAdmin(rt, 'DELETE', `/ticket/${id}`);
      },
      merge: async (id, into) => {
        await asAdmin(rt, 'PUT', `/ticket/${id}`, { MergeInto: into });
      },
      close: () => rt.stop(),
    };
  },
});

describe('request-tracker: a real one, set up wrongly or otherwise', function () {
  this.timeout(TEST_MS);
  let rt: RequestTracker;
  const draft = (parts: Partial<TicketDraft> = {}): TicketDraft => ({
    ...{ key: `cd-exp-${process.pid}-${performance.now()}`, subject: 'S', body: 'B', priority: 'High' },
    ...{ target: { queue: rt.queue }, fields: {} },
    ...parts,
  });

  before(async function () {
    this.timeout(START_MS);
    const started = await startRequestTracker();
    if ('skipped' in started) skip(this, started.skipped);
    rt = started;
  });
  after(async function () {
    this.timeout(30_000);
    await (rt as RequestTracker | undefined)?.stop();
  });

  it('works with user name and password', async () => {
    const { username, password } = rt;
    const ticket = await connect(rt, { auth: 'basic', username, password }).create(draft());
    assert.equal(ticket.status, 'Open');
  });

  it('works with the number of the key field instead of its name', async () => {
    const { items } = (await asAdmin(rt, 'POST', '/customfields?fields=Name', [
      { field: 'Name', value: rt.keyField },
    ])) as { items: { id: string }[] };
    const helpdesk = connect(rt, { keyField: items[0]?.id ?? '' });
    const { key } = await helpdesk.create(draft());
    assert.equal((await helpdesk.find(key)).length, 1);
    assert.equal((await connect(rt).find(key)).length, 1);
  });

  for (const [what, values] of [
    ['a wrong token', { token: '1-31-00000000000000000000000000000000' }],
    ['a wrong password', { auth: 'basic', username: 'certdesk', password: 'wrong-password' }],
  ] as const) {
    it(`says that ${what} is wrong, and does not repeat it`, async () => {
      const helpdesk = connect(rt, values);
      await assert.rejects(helpdesk.find('cd-exp-1'), { code: 'AUTH', message: /user name, password or token/ });
      const checks = await helpdesk.check({ queue: rt.queue });
      assert.deepEqual(
        checks.map(({ id, ok }) => [id, ok]),
        [
          ['reachable', true],
          ['credentials', false],
        ],
      );
      assert.doesNotMatch(JSON.stringify(checks), /00000000|wrong-password/);
    });
  }

  it('creates nothing in a queue without the key field and says how to mend it', async () => {
    const count = async (): Promise<number> => {
      const found = await asAdmin(rt, 'GET', `/tickets?query=${encodeURIComponent("Queue = 'Bare'")}`);
      return (found as { total: number }).total;
    };
    const before = await count();
    const wanted = draft({ target: { queue: 'Bare' } });
    await assert.rejects(connect(rt).create(wanted), { code: 'INVALID', message: /"Bare" shows no custom field/ });
    assert.equal(await count(), before);
    const checks = await connect(rt).check({ queue: 'Bare' });
    assert.equal(checks.find(check => check.id === 'key-field')?.ok, false);
  });

  it('refuses a priority that the helpdesk would not understand', async () => {
    await assert.rejects(connect(rt).create(draft({ priority: 'Urgent' })), { code: 'CONFIG' });
    assert.equal((await connect(rt).create(draft({ priority: '70' }))).priority, '70');
  });

  it('passes further native fields on, on create and on resolve', async () => {
    const helpdesk = connect(rt);
    const { id } = await helpdesk.create(draft({ fields: { Due: '2031-02-03 00:00:00' } }));
    await helpdesk.resolve(id, { TimeWorked: 5 });
    const raw = (await asAdmin(rt, 'GET', `/ticket/${id}`)) as { Due: string; TimeWorked: string };
    assert.match(raw.Due, /^2031-02-03/);
    assert.equal(raw.TimeWorked, '5');
  });

  it('says that a URL beside the helpdesk is wrong', async () => {
    const [reachable] = await connect(rt, { url: `${rt.url}/nothing/here` }).check({ queue: rt.queue });
    assert.equal(reachable?.id, 'reachable');
    assert.equal(reachable?.ok, false);
  });
});
