import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SinonSpy } from 'sinon';
import type { Finding } from '../../lib/model/finding';
import type { RunSummary } from '../../lib/model/report';
import type { TicketRecord } from '../../lib/model/ticket';
import { closedPort, startHealthy, startOdd, type LabServer } from '../lab/tls-servers';
import { issue } from '../lab/certificates';
import { straightFlow } from '../support/flows';
import { inDays, labCa, type LabCa } from '../support/lab-ca';
import { Runtime, type FlowNode, type Message } from '../support/runtime';
import { waitFor } from '../support/wait';
import { sampleFinding } from '../support/samples';

const LOCAL = { id: 'ticket', type: 'certdesk-ticket-local' };

describe('nodes in a real Node-RED', function () {
  this.timeout(40_000);
  let runtime: Runtime;
  let ca: LabCa;
  const servers: LabServer[] = [];
  const up = async <T extends LabServer>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const deploy = (options: Partial<Parameters<typeof straightFlow>[0]> = {}): Promise<void> =>
    runtime.deploy(straightFlow({ ca: ca.file, ticket: LOCAL, ...options }));
  const error = async (): Promise<{ message: string; code: string }> => {
    const [message] = await runtime.until('errors', 1);
    return message?.['error'] as { message: string; code: string };
  };
  const payloads = <T>(id: string): T[] => runtime.messages(id).map(message => message.payload as T);

  beforeEach(async () => {
    runtime = await Runtime.start();
    ca = await labCa(runtime.userDir);
  });
  afterEach(async () => {
    await runtime.stop();
    await Promise.all(servers.splice(0).map(server => server.close()));
  });

  describe('SSL Scan', () => {
    it('refuses a bad target list at deploy, red, with every line number', async () => {
      await deploy({ targets: 'good.example\nnot a host\n10.0.0.0/77' });
      const { status, error: logged } = runtime.node('scan') as unknown as Record<'status' | 'error', SinonSpy>;
      assert.deepEqual(status.args, [[{ fill: 'red', shape: 'ring', text: 'BAD_TARGET' }]]);
      assert.match(String(logged.args[0]?.[0]), /line 2\b.*line 3\b/is);
      runtime.send('scan', {});
      const { code, message } = await error();
      assert.equal(code, 'BAD_TARGET');
      assert.match(message, /line 2\b.*line 3\b/is);
    });

    it('reads its targets from an environment variable that is the whole value', async () => {
      const port = await closedPort('127.0.0.40');
      process.env['CERTDESK_TEST_TARGETS'] = `env.example@127.0.0.40:${port}\nother.example@127.0.0.40:${port}`;
      try {
        await deploy({ targets: '${CERTDESK_TEST_TARGETS}' });
        runtime.send('scan', {});
        const [run] = await runtime.until('runs', 1);
        const { endpoints, unreachableEndpoints } = run?.payload as RunSummary;
        assert.equal(endpoints, 2);
        assert.deepEqual(
          unreachableEndpoints.map(each => each.reason),
          ['ECONNREFUSED', 'ECONNREFUSED'],
        );
      } finally {
        delete process.env['CERTDESK_TEST_TARGETS'];
      }
    });

    for (const [name, value] of [
      ['concurrency', 'many'],
      ['timeoutMs', '-5'],
      ['checks', 'no-such-check'],
      ['weakFrom', 'strong'],
    ] as const) {
      it(`says CONFIG and names ${name} when it is "${value}"`, async () => {
        await deploy({ targets: 'a.example@127.0.0.1:1', scan: { [name]: value } });
        runtime.send('scan', {});
        const { code, message } = await error();
        assert.equal(code, 'CONFIG');
        assert.match(message, new RegExp(name));
      });
    }

    it('looks at every known place again with source repository', async () => {
      const certificate = await ca.issue({ commonName: 'known.example', dns: ['known.example'], notAfter: inDays(80) });
      const server = await up(startHealthy({ ...certificate, host: '127.0.0.41' }));
      await deploy({ scan: { source: 'repository' } });
      runtime.send('scan', { targets: `known.example@127.0.0.41:${server.port}` });
      await runtime.until('runs', 1);
      runtime.send('scan', {});
      await runtime.until('runs', 2);
      assert.deepEqual(
        runtime.messages('reports').map(message => message.topic),
        [`known.example@127.0.0.41:${server.port}`, `known.example@127.0.0.41:${server.port}`],
      );
    });

    it('closes while it is scanning, at once and without a word after', async () => {
      const silent = await up(startOdd('silent', '127.0.0.42'));
      await deploy({ targets: `slow.example@127.0.0.42:${silent.port}`, scan: { timeoutMs: '60000' } });
      runtime.send('scan', {});
      await waitFor(
        () => silent.connections > 0,
        10_000,
        () => 'a connection',
      );
      const before = Date.now();
      await runtime.unload();
      assert.ok(Date.now() - before < 10_000);
      assert.deepEqual(runtime.messages('runs'), []);
      assert.deepEqual(runtime.messages('reports'), []);
    });

    it('stops a run that is still starting', async () => {
      const silent = await up(startOdd('silent', '127.0.0.44'));
      const targets = `slow.example@127.0.0.44:${silent.port}`;
      await deploy({ targets, scan: { timeoutMs: '60000' } });
      runtime.send('scan', {});
      runtime.send('scan', { stop: true });
      const [run] = await runtime.until('runs', 1);
      assert.equal((run?.payload as RunSummary).stopped, true);
      runtime.send('scan', {});
      await waitFor(
        () => silent.connections > 0,
        10_000,
        () => 'the next run',
      );
      assert.deepEqual(runtime.messages('errors'), []);
    });

    it('closes while a run is starting, and nothing of it goes on', async () => {
      const silent = await up(startOdd('silent', '127.0.0.45'));
      await deploy({ targets: `slow.example@127.0.0.45:${silent.port}`, scan: { timeoutMs: '60000' } });
      runtime.send('scan', {});
      await runtime.unload();
      const { connections } = silent;
      await new Promise(resolve => setTimeout(resolve, 300));
      assert.equal(silent.connections, connections);
      assert.equal(silent.openConnections, 0);
    });

    it('says REPOSITORY when the repository cannot be opened, and works after it was mended and deployed', async () => {
      await writeFile(join(runtime.userDir, 'file'), 'not a folder');
      const port = await closedPort('127.0.0.46');
      const broken = (path: string): Promise<void> =>
        deploy({
          targets: `a.example@127.0.0.46:${port}`,
          scan: { repository: 'base' },
          more: [{ id: 'base', type: 'certdesk-repository', z: null, path }],
        });
      await broken('file/x/repository.db');
      runtime.send('scan', {});
      assert.equal((await error()).code, 'REPOSITORY');
      await runtime.unload();
      await broken('fine/repository.db');
      runtime.send('scan', {});
      await runtime.until('runs', 1);
    });

    it('passes runId and force on, with a Node-RED sequence whose last part has the count', async () => {
      const port = await closedPort('127.0.0.43');
      await deploy({ targets: `a.example@127.0.0.43:${port}\nb.example@127.0.0.43:${port}` });
      runtime.send('scan', { force: true });
      const [run] = await runtime.until('runs', 1);
      const { runId, forced } = run?.payload as RunSummary;
      assert.equal(forced, true);
      const reports = runtime.messages('reports');
      assert.deepEqual(
        reports.map(message => [message['runId'], message['force']]),
        [
          [runId, true],
          [runId, true],
        ],
      );
      assert.deepEqual(
        reports.map(message => message['parts']),
        [
          { id: runId, index: 0 },
          { id: runId, index: 1, count: 2 },
        ],
      );
    });
  });

  describe('Expiry Check', () => {
    it('judges a PEM certificate whose place is the topic, and passes on what is not due as it came', async () => {
      await deploy();
      const make = async (days: number): Promise<string> =>
        (await issue(null, { commonName: `${days}.example`, notBefore: inDays(-30), notAfter: inDays(days) })).cert;
      runtime.send('expiry', { payload: await make(3), topic: 'srv/3.pem' });
      const [due] = await runtime.until('expiring', 1);
      const finding = due?.payload as Finding;
      assert.equal(finding.daysLeft, 3);
      assert.deepEqual(finding.endpoints, [
        { domain: 'srv/3.pem', ip: '', port: 0, starttls: null, name: 'srv/3.pem' },
      ]);
      const fine = await make(300);
      runtime.send('expiry', { payload: fine, topic: 'srv/300.pem', mine: 'kept' });
      const [notDue] = await runtime.until('not-due', 1);
      assert.equal(notDue?.payload, fine);
      assert.equal(notDue?.['mine'], 'kept');
    });

    it('judges everything that is known in repository mode', async () => {
      const certificate = (await issue(null, { commonName: 'r.example', notBefore: inDays(-30), notAfter: inDays(9) }))
        .cert;
      const all: FlowNode = { id: 'all', type: 'certdesk-expiry-check', source: 'repository', wires: [['found']] };
      await deploy({ more: [all, { id: 'found', type: 'helper' }] });
      runtime.send('expiry', { payload: certificate, topic: 'r.pem' });
      await runtime.until('expiring', 1);
      runtime.send('all', { payload: 'any trigger' });
      const [found] = await runtime.until('found', 1);
      assert.equal((found?.payload as Finding).certificate.commonName, 'r.example');
    });
  });

  describe('Notification Policy', () => {
    it('tells once a day: new, then standing; mail and syslog only what is told', async () => {
      await deploy({ policy: { emailTo: 'ops@example.com', digestWaitMs: '100' } });
      const finding = await sampleFinding('mail.example', { runId: null });
      runtime.send('policy', { payload: finding, mine: 'kept' });
      runtime.send('policy', { payload: finding });
      const told = await runtime.until('told', 2);
      assert.deepEqual(
        told.map(message => (message['notification'] as { reason: string }).reason),
        ['new', 'standing'],
      );
      assert.equal(told[0]?.['mine'], 'kept');
      const [mail] = await runtime.until('mail', 1);
      assert.equal(mail?.['to'], 'ops@example.com');
      assert.equal(typeof mail?.['plaintext'], 'string');
      assert.match(String(mail?.payload), /mail\.example/);
      const [syslog] = await runtime.until('syslog', 1);
      assert.match(String(syslog?.payload), /^<\d+>1 /);
      await runtime.untilQuiet();
      assert.equal(runtime.messages('mail').length, 1);
      assert.equal(runtime.messages('syslog').length, 1);
    });

    it('tells again what a redeploy cut off on its way to the ticket', async () => {
      const certificate = await ca.issue({
        commonName: 'cut.example',
        dns: ['cut.example'],
        notBefore: inDays(-85),
        notAfter: inDays(5),
      });
      const server = await up(startHealthy({ ...certificate, host: '127.0.0.47' }));
      const flow = { targets: `cut.example@127.0.0.47:${server.port}`, policy: { frequency: 'monthly' } };
      await deploy(flow);
      runtime.send('scan', {});
      await runtime.until('expiring', 1);
      await runtime.unload();
      await deploy(flow);
      runtime.send('scan', {});
      await runtime.until('records', 1);
      const tickets = await runtime.admin<{ total: number }>('get', '/certdesk/default/tickets');
      assert.equal(tickets.body.total, 1);
    });

    it('mails what a redeploy cut off with the next run', async () => {
      const flow = { policy: { emailTo: 'ops@example.com', digestWaitMs: '60000', frequency: 'monthly' } };
      await deploy(flow);
      const finding = await sampleFinding('digest.example');
      runtime.send('policy', { payload: { ...finding, runId: 'own-1' } });
      await runtime.until('told', 1);
      await runtime.untilQuiet(1500);
      await runtime.unload();
      await deploy({ policy: { ...flow.policy, digestWaitMs: '100' } });
      runtime.send('policy', { payload: { ...finding, runId: 'own-2' } });
      const [mail] = await runtime.until('mail', 1);
      assert.equal(mail?.['runId'], 'own-2');
    });

    it('takes a RunSummary and passes nothing on', async () => {
      await deploy();
      const payload = { runId: 'r', finishedAt: new Date().toISOString() };
      runtime.send('policy', { payload });
      runtime.send('ticket', { payload });
      await runtime.untilQuiet();
      for (const id of ['told', 'records', 'errors']) assert.deepEqual(runtime.messages(id), [], id);
    });

    it('keeps quiet about what is snoozed, and refuses a command that it does not understand', async () => {
      await deploy({ policy: { frequency: 'every-run' } });
      const finding = await sampleFinding('snooze.example');
      runtime.send('policy', { snooze: { key: finding.key, until: inDays(2).toISOString() } });
      runtime.send('policy', { payload: finding, force: true });
      await runtime.untilQuiet();
      assert.deepEqual(runtime.messages('told'), []);
      runtime.send('policy', { snooze: { key: finding.key } });
      assert.equal((await error()).code, 'BAD_MESSAGE');
    });

    it('tells a retired key as cleared and leaves it out until it is unretired', async () => {
      await deploy({ policy: { frequency: 'every-run' } });
      const certificate = (
        await issue(null, { commonName: 'old.example', notBefore: inDays(-30), notAfter: inDays(2) })
      ).cert;
      const give = (): void => runtime.send('expiry', { payload: certificate, topic: 'old.pem' });
      give();
      await runtime.until('records', 1);
      const { key } = payloads<TicketRecord>('records')[0] as TicketRecord;
      runtime.send('policy', { retire: key });
      await runtime.until('records', 2);
      assert.deepEqual(
        payloads<TicketRecord>('records').map(record => record.action),
        ['created', 'commented'],
      );
      give();
      await runtime.until('expiring', 2);
      await runtime.untilQuiet();
      assert.equal(runtime.messages('records').length, 2);
      runtime.send('policy', { unretire: key });
      give();
      await runtime.until('records', 3);
    });

    for (const [name, value] of [
      ['frequency', 'sometimes'],
      ['timeZone', 'Mars/Olympus'],
      ['emailBody', '{{#open}}'],
    ] as const) {
      it(`says CONFIG and names ${name} when it is "${value}"`, async () => {
        await deploy({ policy: { [name]: value } });
        runtime.send('policy', { payload: await sampleFinding('x.example') });
        const { code, message } = await error();
        assert.equal(code, 'CONFIG');
        assert.match(message, new RegExp(name));
      });
    }
  });

  describe('ticket nodes', () => {
    it('take a Finding without a policy as due, and keep the message', async () => {
      await deploy();
      runtime.send('ticket', { payload: await sampleFinding('straight.example'), mine: 'kept' });
      const [record] = await runtime.until('records', 1);
      assert.equal((record?.payload as TicketRecord).action, 'created');
      assert.equal((record?.['finding'] as Finding).certificate.commonName, 'straight.example');
      assert.equal(record?.['mine'], 'kept');
    });

    it('open one ticket for many messages of one key at once', async () => {
      await deploy();
      const finding = await sampleFinding('once.example', { runId: 'run-1' });
      for (let count = 0; count < 8; count += 1) runtime.send('ticket', { payload: finding });
      await runtime.until('records', 8);
      const tickets = await runtime.admin<{ total: number }>('get', '/certdesk/default/tickets');
      assert.equal(tickets.body.total, 1);
      assert.deepEqual([...new Set(payloads<TicketRecord>('records').map(record => record.number))], ['1']);
    });

    it('answer msg.check and open nothing', async () => {
      await deploy();
      runtime.send('ticket', { check: true });
      const [answer] = await runtime.until('records', 1);
      const { ok, checks } = answer?.payload as { ok: boolean; checks: { id: string; ok: boolean; detail: string }[] };
      assert.equal(ok, true);
      assert.ok(checks.length > 0);
      assert.equal((await runtime.admin<{ total: number }>('get', '/certdesk/default/tickets')).body.total, 0);
    });

    it('override priority for one message by msg.ticket', async () => {
      await deploy();
      runtime.send('ticket', { payload: await sampleFinding('low.example'), ticket: { priority: 'Low' } });
      const [record] = await runtime.until('records', 1);
      assert.equal((record?.payload as TicketRecord).priority, 'Low');
      runtime.send('ticket', { payload: await sampleFinding('bad.example'), ticket: 'Low' });
      assert.equal((await error()).code, 'BAD_MESSAGE');
      runtime.forget();
      runtime.send('ticket', { payload: await sampleFinding('worse.example'), ticket: { fields: 'no JSON' } });
      assert.equal((await error()).code, 'BAD_MESSAGE');
    });

    it('say CONFIG when the connection or the queue is missing', async () => {
      const rt = { id: 'ticket', type: 'certdesk-ticket-request-tracker' };
      await deploy({ ticket: rt });
      runtime.send('ticket', { payload: await sampleFinding('no.example') });
      const { code, message } = await error();
      assert.equal(code, 'CONFIG');
      assert.match(message, /queue|connection/);
    });

    it('keep the token out of messages, errors, status and routes', async () => {
      const token = '1-14-5ec2e75ec2e75ec2e75ec2e75ec2e700';
      const port = await closedPort();
      const connection: FlowNode = {
        id: 'rt',
        type: 'certdesk-helpdesk-request-tracker',
        z: null,
        url: `http://127.0.0.1:${port}`,
        auth: 'token',
      };
      const watch: FlowNode = { id: 'watch', type: 'status', scope: null, wires: [['states']] };
      const ticket = { id: 'ticket', type: 'certdesk-ticket-request-tracker', connection: 'rt', queue: 'Certificates' };
      const flow = straightFlow({ ca: ca.file, ticket, more: [connection, watch, { id: 'states', type: 'helper' }] });
      await runtime.deploy(flow, { rt: { token } });
      runtime.send('ticket', { payload: await sampleFinding('secret.example') });
      const [record] = await runtime.until('records', 1);
      assert.equal((record?.payload as TicketRecord).action, 'queued');
      runtime.send('ticket', { check: true });
      await runtime.until('records', 2);
      const seen: (Message | object)[] = ['records', 'errors', 'states'].flatMap(id => runtime.messages(id));
      seen.push((await runtime.admin<object>('get', '/certdesk/default/tickets')).body);
      assert.doesNotMatch(JSON.stringify(seen), /5ec2e75ec2e7/);
    });
  });

  describe('admin routes', () => {
    it('page certificates, tickets and runs, newest first', async () => {
      await deploy();
      for (const name of ['one', 'two', 'three']) {
        runtime.send('ticket', { payload: await sampleFinding(`${name}.example`) });
        await runtime.until('records', ['one', 'two', 'three'].indexOf(name) + 1);
      }
      type Page = { items: TicketRecord[]; total: number; next: string | null };
      const first = (await runtime.admin<Page>('get', '/certdesk/default/tickets?limit=2')).body;
      assert.deepEqual(
        first.items.map(item => item.number),
        ['3', '2'],
      );
      assert.equal(first.total, 3);
      const second = (await runtime.admin<Page>('get', `/certdesk/default/tickets?limit=2&after=${first.next}`)).body;
      assert.deepEqual([second.items.map(item => item.number), second.next], [['1'], null]);
      for (const what of ['certificates', 'runs']) {
        const { status, body } = await runtime.admin<Page>('get', `/certdesk/default/${what}`);
        assert.deepEqual([status, body.items, body.total, body.next], [200, [], 0, null], what);
      }
    });

    it('export the repository, and restore it into one that is empty', async () => {
      const other: FlowNode = { id: 'other', type: 'certdesk-repository', z: null, kind: 'sqlite', path: ':memory:' };
      const second = { id: 'second', type: 'certdesk-ticket-local', repository: 'other', wires: [[]] };
      const ticket = { id: 'ticket', type: 'certdesk-ticket-local' };
      await runtime.deploy(straightFlow({ ca: ca.file, ticket, more: [other, second] }));
      runtime.send('ticket', { payload: await sampleFinding('kept.example') });
      await runtime.until('records', 1);
      const { status, body } = await runtime.adminText('get', '/certdesk/default/export');
      assert.equal(status, 200);
      const restore = (text: string) => runtime.adminText('post', '/certdesk/other/restore', text);
      const broken = await restore(body.slice(0, -20));
      assert.deepEqual([broken.status, (JSON.parse(broken.body) as { code: string }).code], [400, 'INVALID']);
      const restored = await restore(body);
      assert.deepEqual([restored.status, restored.body], [200, `{"rows":${body.trim().split('\n').length - 2}}`]);
      type Page = { items: TicketRecord[] };
      const pages = await Promise.all(
        ['default', 'other'].map(id => runtime.admin<Page>('get', `/certdesk/${id}/tickets`)),
      );
      assert.equal(pages[0]?.body.items.length, 1);
      assert.deepEqual(pages[1]?.body.items, pages[0]?.body.items);
    });

    it('read a local ticket with its text and notes, and say 404 where there is none', async () => {
      await deploy();
      const finding = await sampleFinding('read.example');
      runtime.send('ticket', { payload: finding });
      await runtime.until('records', 1);
      runtime.send('ticket', { payload: { ...finding, state: 'cleared' } });
      await runtime.until('records', 2);
      type Readable = TicketRecord & { body: string; notes: { at: string; text: string }[] };
      const path = `/certdesk/default/tickets/${finding.key}`;
      const { status, body } = await runtime.admin<Readable>('get', path);
      assert.deepEqual([status, body.key, body.number, body.status], [200, finding.key, '1', 'Open']);
      assert.match(body.body, /read\.example/);
      assert.equal(body.notes.length, 1);
      assert.match(body.notes[0]?.at ?? '', /^\d{4}-\d\d-\d\dT/);
      assert.notEqual(body.notes[0]?.text, '');
      assert.equal((await runtime.admin('get', '/certdesk/default/tickets/cd-exp-none')).status, 404);
    });

    it('try again what waits for a key, and count it', async () => {
      const port = await closedPort();
      const rt: FlowNode = {
        id: 'rt',
        type: 'certdesk-helpdesk-request-tracker',
        z: null,
        url: `http://127.0.0.1:${port}`,
      };
      const ticket = { id: 'ticket', type: 'certdesk-ticket-request-tracker', connection: 'rt', queue: 'Certificates' };
      await runtime.deploy(straightFlow({ ca: ca.file, ticket, more: [rt] }), {
        rt: { token: '1-1-0123456789abcdef' },
      });
      const finding = await sampleFinding('waits.example');
      runtime.send('ticket', { payload: finding });
      await runtime.until('records', 1);
      const retry = (key: string): Promise<{ body: object }> =>
        runtime.admin('post', `/certdesk/default/tickets/${key}/retry`);
      assert.deepEqual((await retry(finding.key)).body, { retried: 1 });
      assert.deepEqual((await retry('cd-exp-none')).body, { retried: 0 });
    });

    it('refuse a bad limit, an unknown repository and a status that is none', async () => {
      await deploy();
      runtime.send('ticket', { payload: await sampleFinding('one.example') });
      await runtime.until('records', 1);
      const { key } = payloads<TicketRecord>('records')[0] as TicketRecord;
      assert.equal((await runtime.admin('get', '/certdesk/default/tickets?limit=0')).status, 400);
      assert.equal((await runtime.admin('get', '/certdesk/nobody/tickets')).status, 404);
      const path = `/certdesk/default/tickets/${key}/status`;
      assert.equal((await runtime.admin('post', path, { status: 'Gone' })).status, 400);
      assert.equal(
        (await runtime.admin('post', '/certdesk/default/tickets/cd-exp-none/status', { status: 'Closed' })).status,
        404,
      );
      assert.equal((await runtime.admin('post', path, { status: 'Closed' })).status, 200);
    });
  });
});
