import assert from 'node:assert/strict';
import { KeyLostError, type Helpdesk } from '../../lib/helpdesks/helpdesk';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import type { CertDeskError } from '../../lib/model/errors';
import { json, Loopback } from './loopback';

/** Answers that the real one gives only when it is set up in unusual ways. */
describe('request-tracker: unusual answers', () => {
  let server: Loopback;
  let helpdesk: Helpdesk;
  /** The one ticket there is. */
  let ticket: Record<string, unknown>;
  let putWords: string[];
  /** Status words that its lifecycle counts as over. */
  let inactive: string[];

  beforeEach(async () => {
    server = await Loopback.start();
    const values = { url: server.url, auth: 'token', token: '1-2-abc', keyField: 'CertDesk Key' };
    helpdesk = requestTracker.connect({ values, statusMap: {} }, { now: () => new Date() });
    ticket = {
      ...{ id: 7, Subject: 'S', Status: 'resolved', Priority: '100', Created: '2026-01-01T00:00:00Z' },
      CustomFields: [{ id: '2', name: 'CertDesk Key', values: ['cd-exp-1'] }],
    };
    putWords = [];
    inactive = ['resolved'];
    server.answer = ({ method, url, body }, response) => {
      if (method === 'PUT') return json(response, 200, putWords);
      if (url.endsWith('/queue/Q'))
        return json(response, 200, { TicketCustomFields: [{ id: '2', name: 'CertDesk Key' }] });
      if (url.endsWith('/ticket') && method === 'POST') return json(response, 201, { id: '7' });
      if (url.endsWith('/ticket/7')) return json(response, 200, ticket);
      const query = new URLSearchParams(body).get('query') ?? '';
      const isHit = !query.includes('__Inactive__') || inactive.includes(String(ticket.Status));
      json(response, 200, { items: isHit ? [{ ...ticket, id: '7' }] : [], total: null, pages: 0.0 });
    };
  });
  afterEach(() => server.stop());

  const draft = { key: 'cd-exp-1', subject: 'S', body: 'B', priority: 'High', target: { queue: 'Q' }, fields: {} };

  it('takes a 200 that changed nothing for a conflict, with the helpdesk’s words', async () => {
    putWords = ["Ticket 7: You can't change status from 'resolved' to 'open'."];
    await assert.rejects(helpdesk.reopen('7'), { code: 'CONFLICT', message: /stayed resolved.*can't change status/ });
  });

  it('takes a 200 that says the right is missing for a right to be given', async () => {
    putWords = ['Ticket 7: Permission Denied'];
    await assert.rejects(helpdesk.reopen('7'), { code: 'FORBIDDEN' });
  });

  it('takes a refused resolution for a conflict', async () => {
    ticket.Status = 'open';
    putWords = ['That ticket has unresolved dependencies'];
    await assert.rejects(helpdesk.resolve('7', {}), { code: 'CONFLICT', message: /stayed open.*dependencies/ });
  });

  it('asks the helpdesk whether a status of its own is over', async () => {
    ticket.Status = 'erledigt';
    inactive = ['erledigt'];
    assert.equal((await helpdesk.get(['7'])).get('7')?.status, 'Closed');
    ticket.Status = 'beim Lieferanten';
    assert.equal((await helpdesk.get(['7'])).get('7')?.status, 'Open');
  });

  it('says that the key did not stick, and which ticket that is', async () => {
    ticket.CustomFields = [];
    await assert.rejects(helpdesk.create(draft), (error: CertDeskError) => {
      assert.ok(error instanceof KeyLostError);
      assert.equal(error.code, 'INVALID');
      assert.equal(error.ticket.id, '7');
      assert.match(error.message, /"CertDesk Key".*ModifyCustomField/);
      return true;
    });
  });

  it('does not take a search hit with another key for ours', async () => {
    ticket.CustomFields = [{ id: '2', name: 'CertDesk Key', values: ['CD-EXP-1'] }];
    assert.deepEqual(await helpdesk.find('cd-exp-1'), []);
  });

  it('sends the priority as the number that people see as High, and nothing in the address', async () => {
    await helpdesk.create({ ...draft, target: { queue: 'Q', requester: 'owner@shop.example' } });
    const created = server.seen.find(seen => seen.method === 'POST' && seen.url.endsWith('/ticket'));
    assert.equal(created?.url, '/REST/2.0/ticket');
    assert.deepEqual(JSON.parse(created?.body ?? ''), {
      Queue: 'Q',
      Subject: 'S',
      Content: 'B',
      ContentType: 'text/plain',
      Priority: 100,
      Requestor: 'owner@shop.example',
      CustomFields: { 'CertDesk Key': 'cd-exp-1' },
    });
  });

  it('keeps the key whatever further custom fields are given', async () => {
    const fields = { CustomFields: { Site: 'Berlin', 'CertDesk Key': 'mine' } };
    await helpdesk.create({ ...draft, fields });
    const created = server.seen.find(seen => seen.method === 'POST' && seen.url.endsWith('/ticket'));
    assert.deepEqual((JSON.parse(created?.body ?? '') as { CustomFields: unknown }).CustomFields, {
      Site: 'Berlin',
      'CertDesk Key': 'cd-exp-1',
    });
  });

  it('escapes what TicketSQL would take for its own', async () => {
    await helpdesk.find(`o'brien\\`);
    const query = new URLSearchParams(server.seen[0]?.body).get('query');
    assert.equal(query, `CF.{CertDesk Key} = 'o\\'brien\\\\'`);
  });

  it('refuses connections that are not filled in, by the field', () => {
    const connect = (values: Record<string, string>) => () =>
      requestTracker.connect({ values: { url: server.url, ...values }, statusMap: {} }, { now: () => new Date() });
    assert.throws(connect({ auth: 'token' }), { code: 'CONFIG', message: /token/ });
    assert.throws(connect({ auth: 'basic', username: 'u' }), { code: 'CONFIG', message: /password/ });
    assert.throws(connect({ token: 'x', keyField: "x} = '' OR id > 0" }), { code: 'CONFIG', message: /key field/ });
  });

  it('says that no queue is named', async () => {
    await assert.rejects(helpdesk.create({ ...draft, target: {} }), { code: 'CONFIG', message: /queue/ });
  });
});
