import assert from 'node:assert/strict';
import { join } from 'node:path';
import Database from 'libsql';
import type { SinonSpy } from 'sinon';
import type { Finding, Reason } from '../../lib/model/finding';
import type { TicketRecord } from '../../lib/model/ticket';
import { openRepository } from '../../lib/repository/open';
import { json, Loopback } from '../helpdesks/loopback';
import { closedPort } from '../lab/tls-servers';
import { Runtime, type FlowNode, type Message } from '../support/runtime';
import { sampleFinding } from '../support/samples';
import { waitFor } from '../support/wait';

const RT = {
  id: 'ticket',
  type: 'certdesk-ticket-request-tracker',
  connection: 'rt',
  queue: 'Certificates',
} satisfies FlowNode;
const LOCAL = { id: 'ticket', type: 'certdesk-ticket-local' } satisfies FlowNode;
const TOKEN = '1-14-abc';

/** As much of Request Tracker's REST 2.0 as making tickets takes. */
function answerAsRequestTracker(server: Loopback): void {
  const tickets: { id: string; Status: string; [field: string]: unknown }[] = [];
  server.answer = ({ method, url, body }, response) => {
    const { pathname } = new URL(url, server.url);
    if (pathname.includes('/queue/')) {
      return json(response, 200, { TicketCustomFields: [{ id: '2', name: 'CertDesk Key' }] });
    }
    if (pathname.endsWith('/ticket') && method === 'POST') {
      const { Subject, CustomFields } = JSON.parse(body) as { Subject: string; CustomFields: Record<string, string> };
      const id = String(tickets.length + 1);
      const fields = [{ id: '2', name: 'CertDesk Key', values: [CustomFields['CertDesk Key']] }];
      tickets.push({ id, Subject, Status: 'new', Priority: '100', CustomFields: fields });
      return json(response, 201, { id });
    }
    const ticket = tickets.find(({ id }) => pathname.endsWith(`/ticket/${id}`));
    if (ticket !== undefined) return json(response, 200, ticket);
    json(response, 200, { items: tickets.filter(({ id }) => body.includes(id)) });
  };
}

describe('a ticket node whose settings are not whole', function () {
  this.timeout(40_000);
  let runtime: Runtime;
  let helpdesk: Loopback;

  beforeEach(async () => {
    helpdesk = await Loopback.start();
    answerAsRequestTracker(helpdesk);
    runtime = await Runtime.start();
  });
  afterEach(async () => {
    await runtime.stop();
    await helpdesk.stop();
  });

  const deploy = async (tickets: FlowNode[], options: { url?: string; token?: string } = {}): Promise<void> => {
    const { url = helpdesk.url, token = TOKEN } = options;
    const connection = { id: 'rt', type: 'certdesk-helpdesk-request-tracker', z: null, url, auth: 'token' };
    const flow: FlowNode[] = [
      ...tickets.map(ticket => ({ wires: [['records']], ...ticket })),
      { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] },
      { id: 'records', type: 'helper' },
      { id: 'errors', type: 'helper' },
      ...(tickets.some(({ type }) => type === RT.type) ? [connection] : []),
    ];
    await runtime.deploy(flow, { rt: { token } });
  };
  const send = (finding: Finding, reason: Reason = 'new', to = 'ticket'): void =>
    runtime.send(to, { payload: finding, notification: { reason, threshold: null, count: 1, lastAt: null }, mine: 1 });
  const raised = async (count = 1): Promise<Message> => {
    const message = (await runtime.until('errors', count))[count - 1];
    assert.ok(message);
    return message;
  };
  const codeOf = (message: Message): string => (message['error'] as { code: string }).code;
  const records = (): TicketRecord[] => runtime.messages('records').map(message => message.payload as TicketRecord);
  /** What waits, as the file has it. */
  const waiting = async (): Promise<string[]> => {
    const repository = await openRepository({
      kind: 'sqlite',
      path: join(runtime.userDir, 'certdesk', 'repository.db'),
    });
    const works = await repository.work();
    await repository.close();
    return works.map(({ desk, nodeId, state, error }) => [desk, nodeId, state, error.code].join(' '));
  };

  for (const { what, field, broken, token } of [
    { what: 'no connection chosen', field: 'connection', broken: { ...RT, connection: '' } },
    { what: 'a connection that is no more', field: 'connection', broken: { ...RT, connection: 'deleted' } },
    { what: 'no token', field: 'token', broken: RT, token: '' },
    { what: 'no queue', field: 'queue', broken: { ...RT, queue: '' } },
    { what: 'fields that are no JSON', field: 'fields', broken: { ...RT, fields: '{"Owner": ' } },
    { what: 'a body that is no Mustache', field: 'body', broken: { ...RT, body: '{{#open}}' } },
  ]) {
    it(`parks what comes with ${what}, and does it once it is mended`, async () => {
      await deploy([broken], token === undefined ? {} : { token });
      const { status, error } = runtime.node('ticket') as unknown as Record<'status' | 'error', SinonSpy>;
      await waitFor(
        () => error.called,
        5_000,
        () => 'an error at deploy',
      );
      assert.deepEqual(status.args, [[{ fill: 'red', shape: 'ring', text: 'CONFIG' }]]);
      assert.match(String(error.args[0]?.[0]), new RegExp(field));
      const finding = await sampleFinding('broken.example', { runId: 'run-1' });
      send(finding);
      const caught = await raised();
      assert.equal(codeOf(caught), 'CONFIG');
      assert.match((caught['error'] as Error).message, new RegExp(field));
      assert.equal((caught.payload as Finding).key, finding.key);
      await runtime.unload();
      const [kept, ...more] = await waiting();
      assert.match(kept ?? '', /^request-tracker:\S* ticket parked CONFIG$/);
      assert.deepEqual(more, []);

      await deploy([RT]);
      const [done] = await runtime.until('records', 1);
      assert.equal((done?.payload as TicketRecord).action, 'created');
      assert.equal(done?.['mine'], 1);
      send({ ...finding, runId: 'run-2' }, 'standing');
      await runtime.until('records', 2);
      assert.deepEqual(
        records().map(({ action, number }) => `${action} ${number}`),
        ['created 1', 'left 1'],
      );
      await runtime.unload();
      assert.deepEqual(await waiting(), []);
    });
  }

  it('answers msg.check with what to mend', async () => {
    await deploy([{ ...LOCAL, fields: 'Owner' }]);
    runtime.send('ticket', { check: true });
    const [answer] = await runtime.until('records', 1);
    const { ok, checks } = answer?.payload as { ok: boolean; checks: { id: string; ok: boolean; detail: string }[] };
    assert.equal(ok, false);
    assert.deepEqual(
      checks.map(({ id, ok: isOk }) => `${id} ${isOk}`),
      ['settings false'],
    );
    assert.match(checks[0]?.detail ?? '', /fields/);
  });

  it('does under the corrected address what waited under the wrong one', async () => {
    await deploy([RT], { url: `http://127.0.0.1:${await closedPort()}` });
    send(await sampleFinding('moved.example', { runId: 'run-1' }));
    const [queued] = await runtime.until('records', 1);
    assert.equal((queued?.payload as TicketRecord).action, 'queued');
    await runtime.unload();
    await deploy([RT]);
    const [done] = await runtime.until('records', 1);
    assert.equal((done?.payload as TicketRecord).action, 'created');
    await runtime.unload();
    assert.deepEqual(await waiting(), []);
  });

  it('hands its work on when it comes back under another id, not while it is there', async () => {
    await deploy([{ ...LOCAL, fields: 'Owner' }]);
    send(await sampleFinding('renamed.example', { runId: 'run-1' }));
    assert.equal(codeOf(await raised()), 'CONFIG');
    await runtime.unload();
    // The other one is started first and must not take it for gone because of that.
    await deploy([
      { ...LOCAL, id: 'other' },
      { ...LOCAL, fields: 'Owner' },
    ]);
    await raised();
    await runtime.unload();
    assert.deepEqual(await waiting(), ['local ticket parked CONFIG']);
    await deploy([{ ...LOCAL, id: 'other' }]);
    const [done] = await runtime.until('records', 1);
    assert.equal((done?.payload as TicketRecord).action, 'created');
    await runtime.unload();
    assert.deepEqual(await waiting(), []);
  });

  it('is not asked to try again when its desk could not start', async () => {
    await deploy([LOCAL]);
    send(await sampleFinding('first.example'));
    await runtime.until('records', 1);
    await runtime.unload();
    const database = new Database(join(runtime.userDir, 'certdesk', 'repository.db'));
    database.exec('drop table work');
    database.close();
    await deploy([LOCAL]);
    send(await sampleFinding('second.example'));
    assert.equal(codeOf(await raised()), 'REPOSITORY');
    const { body } = await runtime.admin<{ retried: number }>('post', '/certdesk/default/tickets/some-key/retry');
    assert.equal(body.retried, 0);
  });
});
