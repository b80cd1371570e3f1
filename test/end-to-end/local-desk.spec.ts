import assert from 'node:assert/strict';
import type { EndpointReport, RunSummary } from '../../lib/model/report';
import type { Finding } from '../../lib/model/finding';
import type { TicketRecord } from '../../lib/model/ticket';
import { closedPort, startHealthy, startOdd, startTls, startWeak, type LabServer } from '../lab/tls-servers';
import { straightFlow } from '../support/flows';
import { inDays, labCa, type LabCa } from '../support/lab-ca';
import { Runtime } from '../support/runtime';

const LOCAL = { id: 'ticket', type: 'certdesk-ticket-local' };

describe('from certificate to ticket, local desk', function () {
  this.timeout(60_000);
  let runtime: Runtime;
  let ca: LabCa;
  const servers: LabServer[] = [];
  const up = async <T extends LabServer>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const records = (): TicketRecord[] => runtime.messages('records').map(message => message.payload as TicketRecord);
  const actions = (): string[] => records().map(record => record.action);
  const run = async (message: object = {}): Promise<void> => {
    runtime.forget();
    runtime.send('scan', { ...message });
    await runtime.until('runs', 1, 40_000);
    await runtime.untilQuiet();
  };
  const closeByHand = async (key: string): Promise<void> => {
    const answer = await runtime.admin('post', `/certdesk/default/tickets/${key}/status`, { status: 'Closed' });
    assert.equal(answer.status, 200);
  };

  beforeEach(async () => {
    runtime = await Runtime.start();
    ca = await labCa(runtime.userDir);
  });
  afterEach(async () => {
    await runtime.stop();
    await Promise.all(servers.splice(0).map(server => server.close()));
  });

  it('opens tickets for exactly the expiring and the weak server, High, and nothing twice', async () => {
    const healthy = await up(
      startHealthy({
        ...(await ca.issue({ commonName: 'healthy.example', dns: ['healthy.example'], notAfter: inDays(80) })),
        host: '127.0.0.2',
      }),
    );
    const expiring = await up(
      startHealthy({
        ...(await ca.issue({
          commonName: 'expiring.example',
          dns: ['expiring.example'],
          notBefore: inDays(-85),
          notAfter: inDays(5),
        })),
        host: '127.0.0.3',
      }),
    );
    const weak = await up(
      startWeak({
        ...(await ca.issue({
          commonName: 'weak.example',
          dns: ['weak.example'],
          notAfter: inDays(80),
          keyType: 'rsa2048',
        })),
        host: '127.0.0.4',
      }),
    );
    const targets = `healthy.example@127.0.0.2:${healthy.port}\nexpiring.example@127.0.0.3:${expiring.port}\nweak.example@127.0.0.4:${weak.port}`;
    await runtime.deploy(straightFlow({ ca: ca.file, targets, ticket: LOCAL, policy: { frequency: 'every-run' } }));

    await run();
    assert.deepEqual(actions(), ['created', 'created']);
    assert.deepEqual(
      records()
        .map(record => record.subject)
        .sort(),
      ['SSL Certificate expiring.example expiry', 'Vulnerabilities for weak.example'],
    );
    assert.deepEqual(
      records().map(record => record.priority),
      ['High', 'High'],
    );
    const reports = runtime.messages('reports').map(message => message.payload as EndpointReport);
    assert.deepEqual(
      reports.map(report => report.status),
      ['scanned', 'scanned', 'scanned'],
    );
    assert.deepEqual(
      runtime
        .messages('reports')
        .map(message => (message['parts'] as { count?: number }).count)
        .filter(count => count !== undefined),
      [3],
    );

    await run();
    const byKind = (kind: string): string[] =>
      records()
        .filter(record => record.kind === kind)
        .map(record => record.action);
    assert.deepEqual(byKind('expiry'), ['left']);
    assert.deepEqual(byKind('vulnerability'), ['updated']);
    const tickets = await runtime.admin<{ total: number }>('get', '/certdesk/default/tickets');
    assert.equal(tickets.body.total, 2);
    assert.deepEqual(runtime.messages('errors'), []);
  });

  it('names five hundred places of one wildcard certificate in one expiry ticket', async function () {
    this.timeout(120_000);
    const certificate = await ca.issue({
      commonName: '*.many.example',
      dns: ['*.many.example'],
      notAfter: inDays(5),
      notBefore: inDays(-85),
    });
    const server = await up(startHealthy({ ...certificate, host: '127.0.0.5' }));
    const targets = Array.from({ length: 500 }, (_, n) => `n${n}.many.example@127.0.0.5:${server.port}`).join('\n');
    await runtime.deploy(straightFlow({ ca: ca.file, targets, ticket: LOCAL, scan: { perHost: '50' } }));

    runtime.send('scan', {});
    await runtime.until('runs', 1, 90_000);
    await runtime.untilQuiet();
    assert.equal(runtime.messages('reports').length, 500);
    assert.deepEqual(actions(), ['created']);
    assert.equal(records()[0]?.endpoints.length, 500);
    const found = runtime.messages('expiring').map(message => message.payload as Finding);
    assert.deepEqual(
      found.map(finding => finding.endpoints.length),
      [500],
    );
  });

  it('opens one vulnerability ticket for two ports of one place, with one note a run', async () => {
    const certificate = await ca.issue({
      commonName: 'two.example',
      dns: ['two.example'],
      notAfter: inDays(80),
      keyType: 'rsa2048',
    });
    const one = await up(startWeak({ ...certificate, host: '127.0.0.6' }));
    const two = await up(startWeak({ ...certificate, host: '127.0.0.6' }));
    const targets = `two.example@127.0.0.6:${one.port},${two.port}`;
    await runtime.deploy(straightFlow({ ca: ca.file, targets, ticket: LOCAL, policy: { frequency: 'every-run' } }));
    await run();
    assert.deepEqual(actions(), ['created']);
    assert.equal(records()[0]?.endpoints.length, 2);
    await run();
    assert.deepEqual(actions(), ['updated']);
  });

  it('reopens a ticket closed by hand although the frequency says weekly; msg.force adds results at once', async () => {
    const expiring = await up(
      startHealthy({
        ...(await ca.issue({
          commonName: 'back.example',
          dns: ['back.example'],
          notAfter: inDays(5),
          notBefore: inDays(-85),
        })),
        host: '127.0.0.7',
      }),
    );
    const weak = await up(
      startWeak({
        ...(await ca.issue({
          commonName: 'weak.example',
          dns: ['weak.example'],
          notAfter: inDays(80),
          keyType: 'rsa2048',
        })),
        host: '127.0.0.8',
      }),
    );
    const targets = `back.example@127.0.0.7:${expiring.port}\nweak.example@127.0.0.8:${weak.port}`;
    await runtime.deploy(straightFlow({ ca: ca.file, targets, ticket: LOCAL, policy: { frequency: 'weekly' } }));
    await run();
    assert.deepEqual(actions(), ['created', 'created']);
    const [first, second] = records() as [TicketRecord, TicketRecord];
    await run();
    assert.deepEqual(actions(), ['left', 'left']);
    await closeByHand(first.key);
    await closeByHand(second.key);
    await run();
    assert.deepEqual(actions(), ['reopened', 'reopened']);
    assert.deepEqual(
      records().map(record => record.status),
      ['Open', 'Open'],
    );
    await run({ force: true });
    assert.deepEqual(
      records()
        .filter(record => record.kind === 'vulnerability')
        .map(record => record.action),
      ['updated'],
    );
  });

  it('reports what is unreachable, silent or no TLS, and goes on', async () => {
    const healthy = await up(
      startHealthy({
        ...(await ca.issue({ commonName: 'ok.example', dns: ['ok.example'], notAfter: inDays(80) })),
        host: '127.0.0.9',
      }),
    );
    const garbage = await up(startOdd('garbage', '127.0.0.9'));
    const silent = await up(startOdd('silent', '127.0.0.9'));
    const closing = await up(startOdd('closing', '127.0.0.9'));
    const closed = await closedPort('127.0.0.9');
    const targets = [healthy.port, garbage.port, silent.port, closing.port, closed]
      .map(port => `ok.example@127.0.0.9:${port}`)
      .join('\n');
    await runtime.deploy(straightFlow({ ca: ca.file, targets, ticket: LOCAL, scan: { timeoutMs: '500' } }));
    await run();
    const summary = runtime.messages('runs')[0]?.payload as RunSummary;
    assert.equal(summary.endpoints, 5);
    assert.equal(summary.scanned, 1);
    assert.equal(summary.unreachable, 4);
    const reason = (port: number): string | undefined =>
      summary.unreachableEndpoints.find(each => each.name.endsWith(`:${port}`))?.reason;
    assert.equal(reason(closed), 'ECONNREFUSED');
    assert.equal(reason(garbage.port), 'NOT_TLS');
    assert.equal(reason(silent.port), 'TIMEOUT');
    assert.equal(reason(closing.port), 'CLOSED');
    assert.deepEqual(actions(), []);
    assert.deepEqual(runtime.messages('errors'), []);
  });

  it('refuses a target that does not parse with its line number, and what is no Finding, to the Catch node', async () => {
    await runtime.deploy(straightFlow({ ca: ca.file, targets: 'localhost', ticket: LOCAL }));
    const error = async (): Promise<{ message: string; code: string }> => {
      const [message] = await runtime.until('errors', 1);
      runtime.forget();
      return message?.['error'] as { message: string; code: string };
    };
    runtime.send('scan', { targets: 'good.example\nbad host name\n10.0.0.0/99' });
    const bad = await error();
    assert.equal(bad.code, 'BAD_TARGET');
    assert.match(bad.message, /line 2/i);
    assert.match(bad.message, /line 3/i);
    for (const id of ['policy', 'ticket', 'expiry']) {
      runtime.send(id, { payload: { hello: 'world' } });
      assert.equal((await error()).code, 'BAD_MESSAGE', id);
    }
  });

  it('refuses a second run while one is running, and stops on msg.stop with nothing cleared', async () => {
    const silent = await up(startOdd('silent', '127.0.0.10'));
    await runtime.deploy(
      straightFlow({
        ca: ca.file,
        targets: `slow.example@127.0.0.10:${silent.port}`,
        ticket: LOCAL,
        scan: { timeoutMs: '30000' },
      }),
    );
    runtime.send('scan', {});
    runtime.send('scan', {});
    const [refused] = await runtime.until('errors', 1);
    assert.equal((refused?.['error'] as { code: string }).code, 'BUSY');
    const stoppedAt = Date.now();
    await new Promise(resolve => setImmediate(resolve));
    while (silent.connections === 0) await new Promise(resolve => setTimeout(resolve, 10));
    runtime.send('scan', { stop: true });
    const [ended] = await runtime.until('runs', 1);
    const summary = ended?.payload as RunSummary;
    assert.equal(summary.stopped, true);
    assert.deepEqual(summary.unreachableEndpoints, [
      { name: `slow.example@127.0.0.10:${silent.port}`, reason: 'STOPPED' },
    ]);
    assert.ok(Date.now() - stoppedAt < 10_000);
  });

  it('clears with a note once the certificate was renewed, after the second run that reached the server', async () => {
    const old = await ca.issue({
      commonName: 'renew.example',
      dns: ['renew.example'],
      notAfter: inDays(5),
      notBefore: inDays(-85),
    });
    const server = await up(startTls({ ...old, host: '127.0.0.11' }));
    await runtime.deploy(
      straightFlow({
        ca: ca.file,
        targets: `renew.example@127.0.0.11:${server.port}`,
        ticket: LOCAL,
        policy: { frequency: 'every-run' },
      }),
    );
    await run();
    const expiry = (): string[] =>
      records()
        .filter(record => record.kind === 'expiry')
        .map(record => record.action);
    assert.deepEqual(expiry(), ['created']);
    const renewed = await ca.issue({ commonName: 'renew.example', dns: ['renew.example'], notAfter: inDays(85) });
    server.setCertificate(renewed.cert, renewed.key);
    await run();
    assert.deepEqual(expiry(), []);
    await run();
    assert.deepEqual(expiry(), ['commented']);
    await run();
    assert.deepEqual(expiry(), ['left']);
  });

  it('remembers tickets and what was told across a restart', async () => {
    const expiring = await up(
      startHealthy({
        ...(await ca.issue({
          commonName: 'again.example',
          dns: ['again.example'],
          notAfter: inDays(5),
          notBefore: inDays(-85),
        })),
        host: '127.0.0.12',
      }),
    );
    const flow = straightFlow({ ca: ca.file, targets: `again.example@127.0.0.12:${expiring.port}`, ticket: LOCAL });
    await runtime.deploy(flow);
    await run();
    assert.deepEqual(actions(), ['created']);
    await runtime.untilQuiet(1500); // a telling counts a second after it went out
    await runtime.unload();
    await runtime.deploy(flow);
    await run();
    assert.deepEqual(actions(), ['left']);
    assert.equal(
      runtime.messages('told')[0]?.['notification'] &&
        (runtime.messages('told')[0]?.['notification'] as { reason: string }).reason,
      'standing',
    );
  });
});
