import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { RunSummary } from '../../lib/model/report';
import type { TicketRecord } from '../../lib/model/ticket';
import { Forwarder } from '../lab/forwarder';
import { startRequestTracker, type RequestTracker } from '../lab/request-tracker';
import { startTls, startWeak, type LabServer } from '../lab/tls-servers';
import { straightFlow } from '../support/flows';
import { inDays, labCa, type LabCa } from '../support/lab-ca';
import { Runtime, type FlowNode } from '../support/runtime';
import { waitFor } from '../support/wait';
import { skip } from '../support/skip';

const NAME = `n${Date.now().toString(36)}`; // Request Tracker keeps tickets of earlier rounds

interface RtTicket {
  id: string;
  Subject: string;
  Status: string;
  Priority: string;
  CustomFields: { name: string; values: string[] }[];
}

/** What a technician does and sees in Request Tracker, over its own REST 2.0. */
class Technician {
  constructor(private readonly rt: RequestTracker) {}

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.rt.url}/REST/2.0${path}`, {
      method,
      headers: { authorization: `token ${this.rt.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  ticket(id: string): Promise<RtTicket> {
    return this.call('GET', `/ticket/${id}`);
  }

  async setStatus(id: string, status: string): Promise<void> {
    await this.call('PUT', `/ticket/${id}`, { Status: status });
    assert.equal((await this.ticket(id)).Status, status);
  }

  /** Ids of tickets whose subject names the host. */
  async search(host: string): Promise<string[]> {
    const query = encodeURIComponent(`Queue = 'Certificates' AND Subject LIKE '${host}'`);
    return (await this.call<{ items: { id: string }[] }>('GET', `/tickets?query=${query}`)).items.map(item => item.id);
  }

  /** What was written in the ticket, oldest first: its text, then its comments. */
  async texts(id: string): Promise<string[]> {
    const history = await this.call<{ items: { id: string; Type: string }[] }>(
      'GET',
      `/ticket/${id}/history?fields=Type&per_page=100`,
    );
    const texts: string[] = [];
    for (const item of history.items.filter(each => each.Type === 'Create' || each.Type === 'Comment')) {
      const attachments = await this.call<{ items: { id: string }[] }>('GET', `/transaction/${item.id}/attachments`);
      for (const { id: attachment } of attachments.items) {
        const { Content } = await this.call<{ Content?: string }>('GET', `/attachment/${attachment}`);
        if (Content) texts.push(Buffer.from(Content, 'base64').toString('utf8').replace(/\r\n/g, '\n').trimEnd());
      }
    }
    return texts;
  }
}

const expected = (name: string, values: Record<string, string>): string =>
  Object.entries(values).reduce(
    (text, [placeholder, value]) => text.replaceAll(`<${placeholder}>`, value),
    readFileSync(join(__dirname, 'expected', name), 'utf8').trimEnd(),
  );

describe('from certificate to ticket, real Request Tracker', function () {
  this.timeout(240_000);
  let rt: RequestTracker;
  let technician: Technician;
  let runtime: Runtime;
  let ca: LabCa;
  const servers: LabServer[] = [];
  const up = async <T extends LabServer>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    servers.push(server);
    return server;
  };

  before(async function () {
    this.timeout(900_000); // the first time it is installed
    const started = await startRequestTracker();
    if ('skipped' in started) skip(this, `Request Tracker: ${started.skipped}`);
    rt = started;
    technician = new Technician(rt);
  });
  after(async () => rt?.stop());
  beforeEach(async () => {
    runtime = await Runtime.start();
    ca = await labCa(runtime.userDir);
  });
  afterEach(async () => {
    await runtime.stop();
    await Promise.all(servers.splice(0).map(server => server.close()));
  });

  const deploy = async (
    targets: string,
    options: { policy?: object; ticket?: object; url?: string; token?: string; scan?: object } = {},
  ): Promise<void> => {
    const connection: FlowNode = {
      id: 'rt',
      type: 'certdesk-helpdesk-request-tracker',
      z: null,
      url: options.url ?? rt.url,
      auth: 'token',
      keyField: 'CertDesk Key',
    };
    const flow = straightFlow({
      ca: ca.file,
      targets,
      scan: options.scan ?? {},
      policy: { frequency: 'every-run', ...options.policy },
      ticket: {
        id: 'ticket',
        type: 'certdesk-ticket-request-tracker',
        connection: 'rt',
        queue: 'Certificates',
        ...options.ticket,
      },
      baseUrl: 'https://node-red.example:1880',
      more: [connection],
    });
    await runtime.deploy(flow, { rt: { token: options.token ?? rt.token } });
  };
  const records = (): TicketRecord[] => runtime.messages('records').map(message => message.payload as TicketRecord);
  const run = async (message: object = {}): Promise<RunSummary> => {
    runtime.forget();
    runtime.send('scan', { ...message });
    const [ended] = await runtime.until('runs', 1, 60_000);
    await runtime.untilQuiet();
    // one record per Finding that the policy passed on, however slow Request Tracker is today
    await runtime.until('records', runtime.messages('told').length, 60_000);
    await runtime.untilQuiet();
    assert.deepEqual(runtime.messages('errors'), []);
    return ended?.payload as RunSummary;
  };
  /** `example expiry: left, test.example vulnerability: updated` … sorted. */
  const outcome = (): string[] =>
    records()
      .map(record => `${record.kind} ${record.domain}: ${record.action}`)
      .sort();

  it('opens, updates, reopens and clears exactly as the rules say', async () => {
    const host = `shop-${NAME}.example`;
    const other = `test-${NAME}.example`;
    const old = await ca.issue({
      commonName: host,
      dns: [host, other],
      keyType: 'rsa2048',
      notBefore: inDays(-85),
      notAfter: inDays(5),
    });
    const one = await up(startWeak({ ...old, host: '127.0.0.30' }));
    const two = await up(startWeak({ ...old, host: '127.0.0.31' }));
    await deploy(`${host}@127.0.0.30:${one.port}\n${other}@127.0.0.31:${two.port}`);

    // first run: one expiry ticket, one vulnerability ticket per domain@IP
    await run();
    assert.deepEqual(outcome(), [
      `expiry ${host}: created`,
      `vulnerability ${host}: created`,
      `vulnerability ${other}: created`,
    ]);
    const [expiry, first, second] = ['expiry', 'vulnerability', 'vulnerability'].map((kind, index) =>
      records().find(record => record.kind === kind && record.domain === (index === 2 ? other : host)),
    ) as [TicketRecord, TicketRecord, TicketRecord];
    assert.deepEqual(
      records().map(record => record.priority),
      ['High', 'High', 'High'],
    );
    for (const { id } of [expiry, first, second]) {
      assert.equal((await technician.ticket(id)).Priority, '100'); // what Request Tracker calls High
    }
    const dates = { expiryDate: usDate(inDays(5)) };
    assert.equal(block((await technician.texts(expiry.id))[0] ?? ''), expected('expiry.txt', { ...dates, host }));
    const firstText = (await technician.texts(first.id))[0] ?? '';
    const scanTime = /Scan Time: (.*)/.exec(firstText)?.[1] ?? '';
    assert.match(scanTime, /^[A-Z][a-z]{2} \d{1,2}, \d{4} \d\d:\d\d UTC$/);
    assert.equal(block(firstText), expected('vulnerability.txt', { host, name: host, ip: '127.0.0.30', scanTime }));
    const secondText = (await technician.texts(second.id))[0] ?? '';
    assert.equal(
      block(secondText),
      expected('vulnerability.txt', {
        host,
        name: other,
        ip: '127.0.0.31',
        scanTime: /Scan Time: (.*)/.exec(secondText)?.[1] ?? '',
      }),
    );
    assert.equal((await technician.ticket(first.id)).Subject, `Vulnerabilities for ${host}`);
    assert.equal((await technician.ticket(expiry.id)).Subject, `SSL Certificate ${host} expiry`);

    // second run: leaves the one and adds results to the others, also in progress or on hold
    await technician.setStatus(first.id, 'open');
    await technician.setStatus(second.id, 'stalled');
    await technician.setStatus(expiry.id, 'stalled');
    await run();
    assert.deepEqual(outcome(), [
      `expiry ${host}: left`,
      `vulnerability ${host}: updated`,
      `vulnerability ${other}: updated`,
    ]);
    assert.equal((await technician.ticket(first.id)).Status, 'open');
    assert.equal((await technician.ticket(second.id)).Status, 'stalled');
    assert.equal((await technician.texts(expiry.id)).length, 1);
    assert.equal((await technician.texts(first.id)).length, 2);

    // closed by hand: reopened by the next run
    await technician.setStatus(expiry.id, 'resolved');
    await technician.setStatus(first.id, 'rejected');
    await technician.setStatus(second.id, 'resolved');
    await run();
    assert.deepEqual(outcome(), [
      `expiry ${host}: reopened`,
      `vulnerability ${host}: reopened`,
      `vulnerability ${other}: reopened`,
    ]);
    for (const { id } of [expiry, first, second]) assert.equal((await technician.ticket(id)).Status, 'open');

    // number, status, address and serial number are kept locally
    const kept = await runtime.admin<{ items: TicketRecord[] }>('get', '/certdesk/base/tickets');
    const local = kept.body.items.find(item => item.id === first.id);
    assert.equal(local?.number, first.id);
    assert.equal(local?.status, 'In Progress');
    assert.equal(local?.ip, '127.0.0.30');
    assert.match(local?.serialNumber ?? '', /^[0-9A-F]+$/);

    // a server that is down or answers nothing useful clears and resolves nothing
    await one.close();
    const down = await run();
    assert.equal(down.unreachable, 1);
    assert.equal((await technician.ticket(first.id)).Status, 'open');
    assert.equal((await technician.texts(first.id)).length, 3);
    assert.deepEqual(
      outcome().filter(line => line.includes(`vulnerability ${host}`)),
      [`vulnerability ${host}: left`],
    );
    const garbage = createServer(socket =>
      socket
        .on('error', () => {})
        .resume()
        .end('220 this is no TLS\r\n'),
    );
    garbage.listen(one.port, '127.0.0.30');
    const useless = await run();
    await new Promise(resolve => garbage.close(resolve));
    assert.deepEqual(useless.unreachableEndpoints, [{ name: `${host}@127.0.0.30:${one.port}`, reason: 'NOT_TLS' }]);
    assert.equal((await technician.ticket(first.id)).Status, 'open');
    assert.equal((await technician.texts(first.id)).length, 3);
    assert.equal((await technician.ticket(expiry.id)).Status, 'open');
    const back = await up(startWeak({ ...old, host: '127.0.0.30', port: one.port }));

    // a new certificate: what was closed by hand stays closed; an open one gets one note, after the second run
    await technician.setStatus(first.id, 'resolved');
    const renewed = await ca.issue({ commonName: host, dns: [host, other], keyType: 'rsa2048', notAfter: inDays(85) });
    back.setCertificate(renewed.cert, renewed.key);
    two.setCertificate(renewed.cert, renewed.key);
    const notes = (await technician.texts(expiry.id)).length;
    await run();
    assert.equal((await technician.texts(expiry.id)).length, notes);
    await run();
    assert.equal((await technician.texts(expiry.id)).length, notes + 1);
    await run();
    assert.equal((await technician.texts(expiry.id)).length, notes + 1);
    assert.equal((await technician.ticket(expiry.id)).Status, 'open');
    assert.equal((await technician.ticket(first.id)).Status, 'resolved');
    const told = (await technician.texts(second.id)).filter(text => /was renewed\. What is still found/.test(text));
    assert.equal(told.length, 1); // the open vulnerability ticket of the old certificate
    assert.equal((await technician.search(`certificate ${host} expiry`)).length, 1);
  });

  it('keeps what a helpdesk that is down could not take, over a restart too, and does it when it is back', async () => {
    const host = `down-${NAME}.example`;
    const certificate = await ca.issue({ commonName: host, dns: [host], notBefore: inDays(-85), notAfter: inDays(5) });
    const server = await up(startTls({ ...certificate, host: '127.0.0.32', minVersion: 'TLSv1.2' }));
    const forwarder = await Forwarder.start(rt.url);
    try {
      const targets = `${host}@127.0.0.32:${server.port}`;
      await deploy(targets, { url: forwarder.url });
      await forwarder.down();
      await run();
      assert.deepEqual(
        records().map(record => [record.action, record.error?.code]),
        [['queued', 'UNREACHABLE']],
      );
      await runtime.unload();
      await forwarder.up();
      await deploy(targets, { url: forwarder.url });
      const [done] = await runtime.until('records', 1, 60_000);
      assert.equal((done?.payload as TicketRecord).action, 'created');
      assert.equal((await technician.search(host)).length, 1);
      await run();
      assert.deepEqual(
        records().map(record => record.action),
        ['left'],
      );
    } finally {
      await forwarder.down();
    }
  });

  it('raises a wrong token to the Catch node with what to do, and loses nothing', async () => {
    const host = `token-${NAME}.example`;
    const certificate = await ca.issue({ commonName: host, dns: [host], notBefore: inDays(-85), notAfter: inDays(5) });
    const server = await up(startTls({ ...certificate, host: '127.0.0.33', minVersion: 'TLSv1.2' }));
    const targets = `${host}@127.0.0.33:${server.port}`;
    await deploy(targets, { token: '1-14-0123456789abcdef0123456789abcdef' });
    runtime.send('scan', {});
    const [raised] = await runtime.until('errors', 1, 60_000);
    const error = raised?.['error'] as { message: string; code: string };
    assert.equal(error.code, 'AUTH');
    assert.match(error.message, /token/i);
    assert.doesNotMatch(JSON.stringify([raised, runtime.messages('records')]), /0123456789abcdef/);
    await runtime.unload();
    await deploy(targets);
    const [done] = await runtime.until('records', 1, 60_000);
    assert.equal((done?.payload as TicketRecord).action, 'created');
    await waitFor(
      async () => (await technician.search(host)).length === 1,
      5000,
      () => 'one ticket',
    );
  });
});

/** The standard block, without what CertDesk adds after its last line. */
function block(text: string): string {
  return text.split('\n\n')[0] ?? '';
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
function usDate(date: Date): string {
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`;
}
