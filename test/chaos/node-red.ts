import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, Report } from './flow-nodes';
import { ON_CLEARED } from './model';

const ROOT = join(__dirname, '..', '..');
const START_MS = 60_000;

export interface Connection {
  url: string;
  token: string;
  queue: string;
  keyField: string;
}
/** Properties of certdesk-repository; credentials apart. */
export interface RepositorySettings {
  properties: Record<string, string>;
  credentials?: { username: string; password: string };
}

/** A Node-RED of its own process and user folder, with two ticket nodes for one Request Tracker, that can be killed. */
export class NodeRed {
  private child: ChildProcess | null = null;
  private port = 0;
  output = '';
  starts = 0;

  private constructor(
    readonly userDir: string,
    private readonly onReport: (report: Exclude<Report, { event: 'up' }>) => void,
  ) {}

  static async make(options: {
    connection: Connection;
    repository: RepositorySettings;
    settleMs: number;
    onReport: NodeRed['onReport'];
  }): Promise<NodeRed> {
    const userDir = await mkdtemp(join(tmpdir(), 'certdesk-chaos-'));
    await writeNodes(userDir, options.settleMs);
    const { connection, repository } = options;
    await writeFile(join(userDir, 'flows.json'), JSON.stringify(flow(connection, repository)));
    const credentials = { rt: { token: connection.token }, repository: repository.credentials ?? {} };
    await writeFile(join(userDir, 'flows_cred.json'), JSON.stringify(credentials));
    await writeFile(join(userDir, 'package.json'), JSON.stringify({ name: 'user-folder', private: true }));
    return new NodeRed(userDir, options.onReport);
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const child = fork(join(ROOT, 'test', 'chaos', 'child.ts'), [this.userDir], {
      execArgv: ['--require', require.resolve('tsx/cjs')],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    this.starts += 1;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output = (this.output + chunk.toString()).slice(-100_000)));
    }
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string) => (): void => reject(new Error(`Node-RED ${why}: ${this.output}`));
      const timer = setTimeout(failed('did not start in time'), START_MS);
      child.once('exit', failed('ended while it started'));
      child.on('message', (report: Report) => {
        if (report.event !== 'up') return this.onReport(report);
        this.port = report.port;
        clearTimeout(timer);
        child.removeAllListeners('exit');
        resolve();
      });
    });
  }

  get isUp(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Nothing is lost but what is not yet accepted: a message to a process that ends meanwhile is sent again. */
  send(delivery: Delivery): void {
    if (this.isUp && this.child?.connected === true) this.child.send(delivery, () => undefined);
  }

  /** As a power failure would: nothing is told and nothing finished. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child === null || !this.isUp) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** `POST …/tickets/:key/retry`. */
  async retry(key: string): Promise<void> {
    const url = `http://127.0.0.1:${this.port}/certdesk/repository/tickets/${key}/retry`;
    await fetch(url, { method: 'POST' }).then(
      response => response.arrayBuffer(),
      () => undefined, // killed meanwhile
    );
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.userDir, { recursive: true, force: true });
  }
}

/** A package whose nodes are those of this checkout, run from their sources. */
async function writeNodes(userDir: string, settleMs: number): Promise<void> {
  const folder = join(userDir, 'node_modules', '@certdesk', 'node-red-certdesk');
  await mkdir(folder, { recursive: true });
  const nodes: Record<string, string> = {
    repository: `module.exports = require(${JSON.stringify(join(ROOT, 'nodes', 'repository'))});`,
    ticket: `module.exports = RED => ${own('registerQuickTicketNodes')}(RED, ${settleMs});`,
    chaos: `module.exports = ${own('registerChaosNodes')};`,
  };
  for (const [name, text] of Object.entries(nodes)) await writeFile(join(folder, `${name}.js`), text);
  const files = Object.fromEntries(Object.keys(nodes).map(name => [name, `${name}.js`]));
  const manifest = { name: '@certdesk/node-red-certdesk', version: '0.0.0', 'node-red': { nodes: files } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
}

function own(name: string): string {
  return `require(${JSON.stringify(join(__dirname, 'flow-nodes'))}).${name}`;
}

function flow(connection: Connection, repository: RepositorySettings): object[] {
  const { url, queue, keyField } = connection;
  const ticket = (kind: 'expiry' | 'vulnerability'): object[] => [
    { id: `in-${kind}`, type: 'chaos-in', z: 'tab', x: 1, y: 1, to: kind, wires: [[`ticket-${kind}`]] },
    {
      ...{ id: `ticket-${kind}`, type: 'certdesk-ticket-request-tracker', z: 'tab', x: 1, y: 1 },
      ...{ connection: 'rt', repository: 'repository', queue, onCleared: ON_CLEARED[kind], wires: [['record']] },
    },
  ];
  const scope = ['ticket-expiry', 'ticket-vulnerability'];
  const out = (event: string): object => ({ id: event, type: 'chaos-out', z: 'tab', x: 1, y: 1, event, wires: [] });
  return [
    { id: 'tab', type: 'tab', label: 'chaos' },
    { id: 'rt', type: 'certdesk-helpdesk-request-tracker', url, auth: 'token', keyField, statusMap: '{}' },
    { id: 'repository', type: 'certdesk-repository', ...repository.properties, baseUrl: 'https://node-red.example' },
    ...ticket('expiry'),
    ...ticket('vulnerability'),
    { id: 'complete', type: 'complete', z: 'tab', x: 1, y: 1, scope, wires: [['done']] },
    { id: 'catch', type: 'catch', z: 'tab', x: 1, y: 1, scope: null, uncaught: false, wires: [['error']] },
    ...['record', 'done', 'error'].map(out),
  ];
}
