import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { startDemoServers, type Demo, type DemoServer } from '../../examples/start/servers';
import { parseCertificate, type Certificate } from '../../lib/model/certificate';
import { daysLeft } from '../../lib/model/dates';
import { parseTargets } from '../../lib/scan/targets/parse';

describe('demo servers', () => {
  const HEALTHY = 'healthy.certdesk.example';
  const EXPIRING = 'expiring.certdesk.example';
  const WEAK = 'weak.certdesk.example';
  const DAY_MS = 86_400_000;
  const now = new Date();
  let folder: string;
  let running: Demo | null = null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'certdesk-demo-'));
  });
  afterEach(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });

  async function start(at = now): Promise<Demo> {
    running = await startDemoServers(folder, at);
    return running;
  }

  async function stop(): Promise<void> {
    await Promise.all((running?.servers ?? []).map(server => server.close()));
    running = null;
  }

  function server(demo: Demo, name: string): DemoServer {
    const found = demo.servers.find(each => each.name === name);
    assert.ok(found, name);
    return found;
  }

  /** A handshake that trusts the demo's authority; what was agreed on and the certificate. */
  async function visit(demo: Demo, name: string, options: tls.ConnectionOptions = {}): Promise<Visit> {
    const { address, port } = server(demo, name);
    const ca = await readFile(demo.caFile, 'utf8');
    const socket = tls.connect({ host: address, port, servername: name, ca, rejectUnauthorized: false, ...options });
    try {
      await once(socket, 'secureConnect');
      return {
        isTrusted: socket.authorized,
        protocol: socket.getProtocol(),
        certificate: parseCertificate(socket.getPeerCertificate().raw),
      };
    } finally {
      socket.destroy();
    }
  }
  interface Visit {
    isTrusted: boolean;
    protocol: string | null;
    certificate: Certificate;
  }

  it('are three, each a name of its own at an address of its own', async () => {
    const { servers } = await start();
    assert.deepEqual(
      servers.map(({ name, address }) => `${name}@${address}`),
      [`${HEALTHY}@127.0.0.11`, `${EXPIRING}@127.0.0.12`, `${WEAK}@127.0.0.13`],
    );
    for (const { name, address, port, target } of servers) assert.equal(target, `${name}@${address}:${port}`);
    assert.equal([...parseTargets(servers.map(({ target }) => target)).targets].length, 3);
  });

  it('have certificates of 90 days that their authority vouches for', async () => {
    const demo = await start();
    for (const name of [HEALTHY, EXPIRING, WEAK]) {
      const { isTrusted, certificate } = await visit(demo, name);
      assert.equal(isTrusted, true, name);
      assert.equal(certificate.commonName, name);
      assert.equal(Date.parse(certificate.notAfter) - Date.parse(certificate.notBefore), 90 * DAY_MS);
    }
  });

  it('are near their end only at the expiring one, which has five days left', async () => {
    const demo = await start();
    const left = async (name: string): Promise<number> => daysLeft((await visit(demo, name)).certificate.notAfter, now);
    assert.equal(await left(EXPIRING), 5);
    assert.ok((await left(HEALTHY)) > 60);
    assert.ok((await left(WEAK)) > 60);
  });

  it('speak TLS 1.3 at the healthy one, TLS 1.0 and suites without encryption at the weak one only', async () => {
    const demo = await start();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    assert.equal((await visit(demo, HEALTHY)).protocol, 'TLSv1.3');
    await assert.rejects(visit(demo, HEALTHY, old));
    await assert.rejects(visit(demo, EXPIRING, old));
    assert.equal((await visit(demo, WEAK, old)).protocol, 'TLSv1');
    const bare = { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' } as const;
    assert.equal((await visit(demo, WEAK, bare)).protocol, 'TLSv1.2');
  });

  it('come back with the same targets and certificates', async () => {
    const first = await start();
    const before = await visit(first, EXPIRING);
    await stop();
    const second = await start(new Date(now.getTime() + DAY_MS));
    assert.deepEqual(
      second.servers.map(({ target }) => target),
      first.servers.map(({ target }) => target),
    );
    assert.equal((await visit(second, EXPIRING)).certificate.fingerprint256, before.certificate.fingerprint256);
  });

  it('make the expiring certificate anew before it has expired, and no other', async () => {
    const first = await start();
    const serial = async (demo: Demo, name: string): Promise<string> =>
      (await visit(demo, name)).certificate.serialNumber;
    const before = { expiring: await serial(first, EXPIRING), healthy: await serial(first, HEALTHY) };
    await stop();
    const later = new Date(now.getTime() + 4 * DAY_MS);
    const second = await start(later);
    assert.notEqual(await serial(second, EXPIRING), before.expiring);
    assert.equal(daysLeft((await visit(second, EXPIRING)).certificate.notAfter, later), 5);
    assert.equal(await serial(second, HEALTHY), before.healthy);
  });

  it('make the healthy certificate anew long before it expires', async () => {
    await start();
    await stop();
    const later = new Date(now.getTime() + 40 * DAY_MS);
    const { certificate } = await visit(await start(later), HEALTHY);
    assert.ok(daysLeft(certificate.notAfter, later) > 60);
  });

  it('take another port when theirs is taken', async () => {
    const { port } = server(await start(), WEAK);
    await stop();
    const squatter = net.createServer().listen(port, '127.0.0.13');
    await once(squatter, 'listening');
    try {
      const demo = await start();
      assert.notEqual(server(demo, WEAK).port, port);
      assert.equal(server(demo, WEAK).address, '127.0.0.13');
      assert.equal((await visit(demo, WEAK)).isTrusted, true);
    } finally {
      squatter.close();
    }
  });

  it('start over when what they kept is broken', async () => {
    await writeFile(join(folder, 'demo.json'), '{"ca": ');
    const demo = await start();
    assert.equal((await visit(demo, HEALTHY)).isTrusted, true);
  });

  it('keep their keys readable by the user only', async () => {
    await start();
    assert.equal((await stat(join(folder, 'demo.json'))).mode & 0o077, 0);
    assert.ok(!(await readFile(join(folder, 'ca.pem'), 'utf8')).includes('PRIVATE'));
  });

  it('let go of their connections when closed', async () => {
    const { address, port } = server(await start(), HEALTHY);
    const socket = net.connect(port, address);
    const closed = new Promise(resolve => socket.on('error', () => {}).on('close', resolve));
    await once(socket, 'connect');
    await stop();
    await closed;
  });
});
