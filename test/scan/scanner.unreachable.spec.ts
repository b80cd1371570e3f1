import assert from 'node:assert/strict';
import { CHECK_IDS } from '../../lib/model/checks';
import { makeEndpoint } from '../../lib/model/endpoint';
import type { EndpointReport } from '../../lib/model/report';
import { scanEndpoint } from '../../lib/scan/scanner';
import { DEFAULT_SCAN_SETTINGS } from '../../lib/scan/settings';
import { closedPort, startOdd, startScripted, type LabServer } from '../lab/tls-servers';
import { idsWith, scan } from './scan-support';

/** Nothing counts as clean, as refused, or as known. */
function assertNothingKnown(report: EndpointReport): void {
  assert.equal(report.status, 'unreachable');
  assert.equal(report.certificate, null);
  assert.deepEqual(report.ciphers, []);
  assert.deepEqual([...new Set(Object.values(report.protocols))], ['cannot-tell']);
  assert.deepEqual(
    report.checks.map(({ id }) => id),
    [...CHECK_IDS],
  );
  for (const verdict of ['ok', 'vulnerable', 'not-applicable'] as const) assert.deepEqual(idsWith(report, verdict), []);
}

describe('scanEndpoint where no TLS answers', () => {
  const open: LabServer[] = [];
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  async function up(starting: Promise<LabServer>): Promise<LabServer> {
    const server = await starting;
    open.push(server);
    return server;
  }

  it('reports a port where nobody listens', async () => {
    const report = await scan({ host: '127.0.0.1', port: await closedPort() });
    assertNothingKnown(report);
    assert.deepEqual(report.stages.tcp, { status: 'failed', reason: 'ECONNREFUSED' });
    assert.equal(report.connections, 1);
  });

  it('reports HTTP, SSH and other text as no TLS, with one connection', async () => {
    const ssh = startScripted(socket => void socket.resume().write('SSH-2.0-OpenSSH_9.2\r\n'));
    for (const server of [await up(startOdd('http')), await up(startOdd('garbage')), await up(ssh)]) {
      const report = await scan(server);
      assertNothingKnown(report);
      assert.deepEqual(report.stages.tcp, { status: 'ok' });
      assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'NOT_TLS' });
      assert.equal(server.connections, 1);
    }
  });

  it('reports one that closes or resets', async () => {
    for (const how of ['closing', 'reset'] as const) {
      const report = await scan(await up(startOdd(how)));
      assertNothingKnown(report);
      assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'CLOSED' }, how);
    }
  });

  it('gives up on one that is silent after a few timeouts', async () => {
    const server = await up(startOdd('silent'));
    const started = Date.now();
    const report = await scan(server, { timeoutMs: 200, connections: 8 });
    assertNothingKnown(report);
    assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'TIMEOUT' });
    assert.ok(Date.now() - started < 5 * 200);
  });

  it('gives up on one that starts an answer and never ends it', async () => {
    const server = await up(startScripted(socket => void socket.resume().write(Buffer.from([22, 3, 3, 64, 0, 2]))));
    assertNothingKnown(await scan(server, { timeoutMs: 200 }));
  });

  it('stops reading one that never stops sending', async () => {
    const flood = startScripted(socket => {
      const record = Buffer.concat([Buffer.from([22, 3, 3, 64, 0, 11, 0, 255, 255]), Buffer.alloc(16380)]);
      socket.resume();
      const pour = (): void => {
        while (socket.write(record));
      };
      socket.on('drain', pour);
      pour();
    });
    assertNothingKnown(await scan(await up(flood)));
  });

  it('reports an alert to every hello by its name', async () => {
    const server = await up(
      startScripted(socket => void socket.once('data', () => socket.end(Buffer.from([21, 3, 1, 0, 2, 2, 40])))),
    );
    const report = await scan(server);
    assertNothingKnown(report);
    assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'HANDSHAKE_FAILURE' });
  });

  it('ends at once when stopped, and leaves no socket', async () => {
    const stop = new AbortController();
    let closed = 0;
    const server = await up(
      startScripted(socket => {
        socket.resume().on('close', () => (closed += 1));
        stop.abort();
      }),
    );
    const started = Date.now();
    const report = await scan(server, { timeoutMs: 10_000, signal: stop.signal });
    assertNothingKnown(report);
    assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'STOPPED' });
    assert.ok(Date.now() - started < 1000);
    while (closed < server.connections) {
      assert.ok(Date.now() - started < 2000, 'the server still has a connection');
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  });

  it('opens nothing when it was stopped before', async () => {
    const report = await scan(await up(startOdd('silent')), { signal: AbortSignal.abort() });
    assert.equal(report.connections, 0);
    assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'STOPPED' });
  });

  it('reports what cannot be asked at all', async () => {
    const options = { runId: 'run', connections: 1, signal: new AbortController().signal };
    const of = (parts: { ip?: string; port?: number; starttls?: string }): Promise<EndpointReport> =>
      scanEndpoint(
        makeEndpoint({ domain: 'a.example', ip: '127.0.0.1', port: 443, starttls: null, ...parts }),
        { ...DEFAULT_SCAN_SETTINGS },
        options,
      );
    const unresolved = await of({ ip: '' });
    assertNothingKnown(unresolved);
    assert.equal(unresolved.stages.dns.status, 'failed');
    assert.deepEqual((await of({ port: 0 })).stages.tcp, { status: 'failed', reason: 'BAD_PORT' });
    assert.deepEqual((await of({ starttls: 'gopher' })).stages.starttls, {
      status: 'failed',
      reason: 'UNKNOWN_PROTOCOL',
    });
  });
});
