import assert from 'node:assert/strict';
import { failureReason, type EndpointReport } from '../../lib/model/report';
import { closePool, startScan } from '../../lib/scan/pool';
import { DEFAULT_SCAN_SETTINGS, type Scan, type ScanSettings } from '../../lib/scan/settings';
import { parseTargets } from '../../lib/scan/targets/parse';
import { issue, makeCa, type Ca } from '../lab/certificates';
import { closedPort, startHealthy, startOdd, startWeak, type LabServer } from '../lab/tls-servers';

describe('a scan of real servers in worker threads', function () {
  this.timeout(60_000);
  const servers: LabServer[] = [];
  let ca: Ca;
  before(async () => {
    ca = await makeCa('Pool Root');
  });
  afterEach(() => Promise.all(servers.splice(0).map(server => server.close())));
  after(() => closePool());

  async function up<T extends LabServer>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    servers.push(server);
    return server;
  }

  function begin(targets: string[], settings: Partial<ScanSettings> = {}): { scan: Scan; reports: EndpointReport[] } {
    const reports: EndpointReport[] = [];
    const job = {
      runId: `real-${targets.length}-${Date.now()}`,
      targets: parseTargets(targets),
      settings: { ...DEFAULT_SCAN_SETTINGS, ca: [ca.cert], ...settings },
      forced: false,
    };
    const scan = startScan(job, { onPlace: () => {}, onReport: report => void reports.push(report) });
    return { scan, reports };
  }

  /** Polls until `isTrue`, within two seconds. */
  async function until(isTrue: () => boolean, what: string): Promise<void> {
    for (const deadline = Date.now() + 2000; !isTrue();) {
      assert.ok(Date.now() < deadline, what);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  it('tells good from weak from none, and counts connections as the servers do', async () => {
    const certificate = await issue(ca, { commonName: 'a.example', dns: ['a.example'], ip: ['127.0.0.4'] });
    const healthy = await up(startHealthy({ ...certificate, host: '127.0.0.2' }));
    const weak = await up(startWeak({ ...certificate, host: '127.0.0.3' }));
    const closed = await closedPort('127.0.0.4');
    const { scan, reports } = begin([
      `a.example@127.0.0.2:${healthy.port}`,
      `a.example@127.0.0.3:${weak.port}`,
      `127.0.0.4:${closed}`,
    ]);
    const summary = await scan.finished;
    const byIp = new Map(reports.map(report => [report.endpoint.ip, report]));
    assert.equal(byIp.get('127.0.0.2')?.status, 'scanned');
    assert.equal(byIp.get('127.0.0.2')?.stages.trust.status, 'ok');
    assert.equal(byIp.get('127.0.0.2')?.protocols.TLSv1, 'refused');
    assert.equal(byIp.get('127.0.0.3')?.protocols.TLSv1, 'offered');
    assert.ok(byIp.get('127.0.0.3')?.ciphers.some(({ name }) => name === 'TLS_RSA_WITH_NULL_SHA256'));
    assert.deepEqual(summary.unreachableEndpoints, [{ name: `127.0.0.4:${closed}`, reason: 'ECONNREFUSED' }]);
    assert.equal(byIp.get('127.0.0.2')?.connections, healthy.connections);
    assert.equal(byIp.get('127.0.0.3')?.connections, weak.connections);
  });

  it('stops within a second and leaves no connection behind', async () => {
    const silent = await Promise.all(['127.0.0.5', '127.0.0.6', '127.0.0.7'].map(ip => up(startOdd('silent', ip))));
    const { scan, reports } = begin(silent.map(({ host, port }) => `slow.example@${host}:${port}`));
    await until(() => silent.every(({ openConnections }) => openConnections > 0), 'all three are connected to');
    const stoppedAt = Date.now();
    scan.stop();
    const summary = await scan.finished;
    assert.ok(Date.now() - stoppedAt < 1000, `${Date.now() - stoppedAt} ms`);
    assert.deepEqual(reports.map(failureReason), ['STOPPED', 'STOPPED', 'STOPPED']);
    assert.equal(summary.stopped, true);
    await until(() => silent.every(({ openConnections }) => openConnections === 0), 'nothing is left open');
  });

  it('never has more connections open to one address than perHost allows', async () => {
    const certificate = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    const ports = await Promise.all(
      Array.from({ length: 6 }, () => up(startWeak({ ...certificate, host: '127.0.0.8' }))),
    );
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(
        most,
        ports.reduce((sum, { openConnections }) => sum + openConnections, 0),
      );
    }, 1);
    const { scan } = begin([`a.example@127.0.0.8:${ports.map(({ port }) => port).join(',')}`], { perHost: 2 });
    const summary = await scan.finished;
    clearInterval(watch);
    assert.equal(summary.scanned, 6);
    // What the scan has closed already the server may see a moment later, at most one per slot.
    assert.ok(most >= 1 && most <= 4, `${most} connections at once`);
  });

  it('scans a hundred names of one server side by side', async () => {
    const certificate = await issue(ca, { commonName: 'a.example', dns: ['*.example'], keyType: 'ec256' });
    const server = await up(startHealthy({ ...certificate, host: '127.0.0.9' }));
    const { scan } = begin(
      Array.from({ length: 100 }, (_, index) => `n${index}.example@127.0.0.9:${server.port}`),
      { perHost: 20 },
    );
    assert.equal((await scan.finished).scanned, 100);
  });

  it('starts again after the pool was closed', async () => {
    await closePool();
    const closed = await closedPort('127.0.0.10');
    const { scan, reports } = begin([`127.0.0.10:${closed}`]);
    await scan.finished;
    assert.deepEqual(reports.map(failureReason), ['ECONNREFUSED']);
  });

  it('stops running scans when the pool is closed', async () => {
    const silent = await up(startOdd('silent', '127.0.0.11'));
    const { scan, reports } = begin([`127.0.0.11:${silent.port}`]);
    await until(() => silent.openConnections > 0, 'it is connected to');
    await closePool();
    assert.deepEqual(reports.map(failureReason), ['STOPPED']);
    assert.equal((await scan.finished).stopped, true);
  });
});
