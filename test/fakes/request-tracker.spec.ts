import assert from 'node:assert/strict';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import { describeAdapter } from '../helpdesks/contract';
import { FakeRequestTracker } from './request-tracker';

interface Answer {
  status: number;
  body: unknown;
}

describeAdapter({
  type: { ...requestTracker, name: 'request-tracker, a fake one' },
  settable: ['new', 'open', 'stalled', 'resolved', 'rejected'],
  open: async () => {
    const fake = await FakeRequestTracker.start();
    const values = { url: fake.url, auth: 'token', token: fake.token, keyField: FakeRequestTracker.keyField };
    const services = { now: () => new Date() };
    const asAdmin = (method: string, path: string, body?: object): Promise<Answer> =>
      ask(fake, method, path, { body, token: fake.adminToken });
    return {
      helpdesk: requestTracker.connect({ values, statusMap: {} }, services),
      connect: statusMap => requestTracker.connect({ values, statusMap }, services),
      target: { queue: FakeRequestTracker.queue },
      badTarget: { queue: 'Nobody has this queue' },
      setStatus: async (id, Status) => void (await asAdmin('PUT', `/ticket/${id}`, { Status })),
      body: async id => fake.tickets.get(Number(id))?.texts[0]?.content ?? '',
      remove: async id => void (await asAdmin('DELETE', `/ticket/${id}`)),
      merge: async (id, into) => void (await asAdmin('PUT', `/ticket/${id}`, { MergeInto: into })),
      close: () => fake.stop(),
    };
  },
});

/** What RT 5.0.3 was seen to answer to the same. */
describe('the fake Request Tracker', () => {
  let fake: FakeRequestTracker;
  beforeEach(async () => {
    fake = await FakeRequestTracker.start();
  });
  afterEach(() => fake.stop());

  const call = (method: string, path: string, body?: unknown): Promise<Answer> => ask(fake, method, path, { body });
  const create = (key: string, more: object = {}): Promise<Answer> =>
    call('POST', '/ticket', {
      ...{ Queue: 'Certificates', Subject: 'S', Content: 'C', ContentType: 'text/plain', Priority: 100 },
      CustomFields: { 'CertDesk Key': key },
      ...more,
    });
  const find = (query: string, more = ''): Promise<Answer> =>
    call('GET', `/tickets?query=${encodeURIComponent(query)}${more}`);
  const found = async (query: string): Promise<string[]> =>
    ((await find(query)).body as { items: { id: string }[] }).items.map(item => item.id);
  const isKey = (quoted: string): string => `CF.{CertDesk Key} = ${quoted}`;

  it('says of a new ticket its number and address', async () => {
    const body = { type: 'ticket', _url: `${fake.url}/REST/2.0/ticket/1`, id: '1' };
    assert.deepEqual(await create('a.example:443/expiry'), { status: 201, body });
  });

  it('shows a ticket with its number as a number and its priority as text', async () => {
    await create('k');
    const { body } = await call('GET', '/ticket/1');
    const { id, Status, Priority, Resolved, CustomFields } = body as Record<string, unknown>;
    assert.deepEqual([id, Status, Priority, Resolved], [1, 'new', '100', '1970-01-01T00:00:00Z']);
    assert.deepEqual(CustomFields, [{ id: '2', name: 'CertDesk Key', type: 'customfield', values: ['k'] }]);
  });

  it('does not keep keys unique', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create('same')));
    assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([201]));
    assert.equal((await found(isKey("'same'"))).length, 8);
  });

  for (const [what, expected, act] of [
    ['a priority by its name', [400, 'Ticket could not be created due to an internal error'], { Priority: 'High' }],
    ['a queue nobody has', [403, "No permission to create tickets in the queue 'Nope'"], { Queue: 'Nope' }],
    ['no queue', [400, 'Could not create ticket. Queue not set'], { Queue: undefined }],
  ] as const) {
    it(`refuses to create a ticket with ${what}`, async () => {
      const [status, message] = expected;
      assert.deepEqual(await create('k', act), { status, body: { message } });
      assert.equal(fake.tickets.size, 0);
    });
  }

  it('drops a custom field that it does not know, and the key in a queue without the field', async () => {
    assert.equal((await create('k', { CustomFields: { Nope: 'x' } })).status, 201);
    assert.equal((await create('k', { Queue: 'Bare' })).status, 201);
    assert.deepEqual(
      [...fake.tickets.values()].map(ticket => ticket.key),
      ['', ''],
    );
  });

  it('says 200 to a status change whatever comes of it', async () => {
    await create('k');
    const put = async (Status: string): Promise<unknown> => (await call('PUT', '/ticket/1', { Status })).body;
    assert.deepEqual(await put('resolved'), ["Ticket 1: Status changed from 'new' to 'resolved'"]);
    assert.deepEqual(await put('resolved'), []);
    assert.deepEqual(await put('nonsense'), ["Ticket 1: Status 'nonsense' isn't a valid status for this ticket."]);
    assert.deepEqual(await put('deleted'), ['Ticket 1: Permission Denied']);
    assert.deepEqual(await put('open'), ["Ticket 1: Status changed from 'resolved' to 'open'"]);
  });

  it('says of a ticket that is not there what the real one says', async () => {
    assert.deepEqual(await call('GET', '/ticket/9'), { status: 404, body: { message: 'Not Found' } });
    const message = 'Resource does not exist; use POST to create';
    assert.deepEqual(await call('PUT', '/ticket/9', { Status: 'open' }), { status: 404, body: { message } });
    const denied = { status: 400, body: { message: 'Permission Denied' } };
    assert.deepEqual(await call('POST', '/ticket/9/comment', { Content: 'x' }), denied);
    const { status, body } = await call('GET', '/ticket/9/attachments?fields=Content');
    assert.deepEqual([status, (body as { items: unknown }).items], [200, []]);
    assert.deepEqual(await call('GET', '/queue/Nope'), { status: 403, body: { message: 'Forbidden' } });
  });

  it('takes comments, also on a deleted ticket, and shows them plain', async () => {
    await create('k');
    assert.deepEqual(await call('POST', '/ticket/1/comment', { Content: 'é', ContentType: 'text/plain' }), {
      status: 201,
      body: ['Comments added'],
    });
    assert.equal((await ask(fake, 'DELETE', '/ticket/1', { token: fake.adminToken })).status, 204);
    assert.equal((await call('POST', '/ticket/1/comment', { Content: 'x' })).status, 201);
    const { body } = await call('GET', '/ticket/1/attachments?fields=Content,ContentType&orderby=id&order=DESC');
    const { items, count, total, pages } = body as { items: object[]; count: number; total: null; pages: null };
    assert.deepEqual([count, total, pages], [3, null, null]);
    const url = (id: number): string => `${fake.url}/REST/2.0/attachment/${id}`;
    assert.deepEqual(
      items,
      [3, 2, 1].map((id, index) => ({
        ...{ id: String(id), type: 'attachment', _url: url(id) },
        ...{ ContentType: 'text/plain', Content: ['x', 'é', 'C'][index] },
      })),
    );
    assert.deepEqual(await found('id = 1'), []);
    assert.equal(((await call('GET', '/ticket/1')).body as { Status: string }).Status, 'deleted');
  });

  it('gives the target of a merged ticket, and finds only that', async () => {
    await create('k');
    await create('k');
    assert.deepEqual((await call('PUT', '/ticket/2', { MergeInto: '1' })).body, ['Merge Successful']);
    assert.equal(((await call('GET', '/ticket/2')).body as { id: number }).id, 1);
    assert.deepEqual(await found('id = 2'), []);
    assert.deepEqual(await found('id = 2 OR id = 1'), ['1']);
  });

  it('searches without regard to case, whole values, with quotes that a backslash escapes', async () => {
    for (const key of ["o'brien", 'back\\slash', 'dq"x', 'ABC']) await create(key);
    assert.deepEqual(await found(isKey("'o\\'brien'")), ['1']);
    assert.deepEqual(await found(isKey('"o\'brien"')), ['1']);
    assert.deepEqual(await found(isKey("'back\\slash'")), []);
    assert.deepEqual(await found(isKey("'back\\\\slash'")), ['2']);
    assert.deepEqual(await found(isKey("'dq\"x'")), ['3']);
    assert.deepEqual(await found(isKey("'abc'")), ['4']);
    assert.deepEqual(await found(isKey("'%'")), []);
    assert.deepEqual(await found(isKey("'x' OR id > 0").replace('>', '!=')), ['1', '2', '3', '4']);
    assert.deepEqual(await found("CF.{Nope} = 'ABC'"), []);
    assert.deepEqual(await found(''), []);
    const { status, body } = await find(isKey("'o'brien'"));
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /Wrong query, expecting a AGGREGATOR in 'CF\.\{CertDesk Key\} = 'o'>brien/);
  });

  it('cuts pages to a hundred and names the next one', async () => {
    for (let number = 1; number <= 120; number++) await create(`k${number}`);
    await call('PUT', '/ticket/3', { Status: 'rejected' });
    const { body } = await find("Queue = 'Certificates'", '&per_page=1000&fields=Status');
    const { items, ...page } = body as { items: { Status: string }[] };
    const next = { next_page: `${fake.url}/REST/2.0/tickets?page=2` };
    assert.deepEqual(page, { count: 100, total: 120, page: 1, per_page: 100, pages: 2, ...next });
    assert.deepEqual([items[1]?.Status, items[2]?.Status], ['new', 'rejected']);
    assert.deepEqual(await found("(id = 2 OR id = 3) AND Status = '__Inactive__'"), ['3']);
  });

  it('refuses who has no token, what is no JSON, and forms where JSON is wanted', async () => {
    const denied = { status: 401, body: { message: 'Unauthorized' } };
    assert.deepEqual(await ask(fake, 'GET', '/rt', { token: '1-31-0' }), denied);
    const send = async (body: string, type: string): Promise<number> =>
      (
        await fetch(`${fake.url}/REST/2.0/ticket`, {
          ...{ method: 'POST', body },
          headers: { authorization: `token ${fake.token}`, 'content-type': type },
        })
      ).status;
    assert.equal(await send('{bad', 'application/json'), 400);
    assert.equal(await send('a=b', 'application/x-www-form-urlencoded'), 415);
  });
});

async function ask(
  fake: FakeRequestTracker,
  method: string,
  path: string,
  { body, token = fake.token }: { body?: unknown; token?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${fake.url}/REST/2.0${path}`, {
    method,
    headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}
