import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import helper from 'node-red-node-test-helper';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { HELPDESKS } from '../../lib/helpdesks';
import expiryCheck from '../../nodes/expiry-check';
import notificationPolicy from '../../nodes/notification-policy';
import repository from '../../nodes/repository';
import sslScan from '../../nodes/ssl-scan';
import { registerTicketNodes } from '../../nodes/templates/ticket';
import { waitFor } from './wait';

helper.init(require.resolve('node-red'));

export type Message = NodeMessage & Record<string, unknown>;
export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}
type Register = (RED: NodeAPI) => void;

/** Everything that a CertDesk flow needs: our nodes and Node-RED's own tls-config, catch and switch. */
const NODES: Register[] = [
  repository,
  sslScan,
  expiryCheck,
  notificationPolicy,
  ...HELPDESKS.map(type => (RED: NodeAPI) => registerTicketNodes(RED, type)),
  require('@node-red/nodes/core/network/05-tls.js') as Register,
  require('@node-red/nodes/core/function/10-switch.js') as Register,
];

/** A real Node-RED runtime with a user folder of its own. */
export class Runtime {
  private readonly received = new Map<string, Message[]>();
  private lastMessageAt = 0;

  private constructor(readonly userDir: string) {}

  static async start(): Promise<Runtime> {
    const userDir = await mkdtemp(join(tmpdir(), 'certdesk-runtime-'));
    helper.settings({ userDir, uiPort: 1880 });
    await new Promise<void>(resolve => helper.startServer(resolve));
    return new Runtime(userDir);
  }

  /** Deploys a flow on tab `tab`; every node of type `helper` collects what it gets. */
  async deploy(flow: FlowNode[], credentials: Record<string, Record<string, string>> = {}): Promise<void> {
    const tab = { id: 'tab', type: 'tab', label: 'test' };
    // without coordinates Node-RED takes a node for a config node
    const nodes = flow.map(node => (node['z'] === null ? node : { z: 'tab', x: 100, y: 100, ...node }));
    await helper.load(NODES, [tab, ...nodes] as never, credentials);
    for (const { id, type } of flow) {
      if (type !== 'helper') continue;
      this.received.set(id, []);
      helper.getNode(id).on('input', (message: Message) => {
        this.lastMessageAt = Date.now();
        this.received.get(id)?.push(message);
      });
    }
  }

  node(id: string): Node {
    return helper.getNode(id) as unknown as Node;
  }

  /** Hands a node a message as a wire would. */
  send(id: string, message: Message): void {
    this.lastMessageAt = Date.now();
    this.node(id).receive(message);
  }

  messages(id: string): Message[] {
    return this.received.get(id) ?? [];
  }

  /** Forgets what was received, so that the next run is looked at alone. */
  forget(): void {
    for (const id of this.received.keys()) this.received.set(id, []);
  }

  /** Waits until `id` got `count` messages. */
  async until(id: string, count: number, withinMs = 15_000): Promise<Message[]> {
    await waitFor(
      () => this.messages(id).length >= count,
      withinMs,
      () => `${count} messages at ${id}, got ${this.messages(id).length}`,
    );
    return this.messages(id);
  }

  /** Waits until nothing has arrived anywhere for `quietMs`: what was not sent by then will not come. */
  async untilQuiet(quietMs = 800, withinMs = 60_000): Promise<void> {
    await waitFor(
      () => Date.now() - this.lastMessageAt >= quietMs,
      withinMs,
      () => 'quiet',
    );
  }

  /** GET or POST on the admin routes. */
  async admin<T>(method: 'get' | 'post', path: string, body?: object): Promise<{ status: number; body: T }> {
    const request = helper.request()[method](path);
    const response = await (body === undefined ? request : request.send(body));
    return { status: response.status, body: response.body as T };
  }

  /** The same with texts as they are. */
  async adminText(method: 'get' | 'post', path: string, body?: string): Promise<{ status: number; body: string }> {
    const request = helper.request()[method](path).buffer(true);
    const response = await (body === undefined ? request : request.type('application/x-ndjson').send(body));
    return { status: response.status, body: response.text };
  }

  /** Ends the flow, keeping the user folder, as a restart of Node-RED does. */
  async unload(): Promise<void> {
    await helper.unload();
  }

  async stop(): Promise<void> {
    await helper.unload();
    await new Promise<void>(resolve => helper.stopServer(resolve));
    await rm(this.userDir, { recursive: true, force: true });
  }
}
