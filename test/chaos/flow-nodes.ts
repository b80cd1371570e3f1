import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import { registerTicketNodes } from '../../nodes/templates/ticket';

/** What the driver sends. */
export interface Delivery {
  to: 'expiry' | 'vulnerability';
  message: NodeMessage & Record<string, unknown>;
}
/** What a node of the flow got, or that Node-RED is up. */
export type Report =
  | { event: 'up'; port: number }
  | { event: 'record' | 'done' | 'error'; id: string; key: string; action?: string; code?: string; text?: string };

interface Failure {
  code: string;
  message: string;
}

/** `chaos-in` hands the driver's messages to the flow, `chaos-out` tells the driver what comes out of it. */
export function registerChaosNodes(RED: NodeAPI): void {
  RED.nodes.registerType('chaos-in', function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    const { to } = config as unknown as { to: Delivery['to'] };
    process.on('message', (delivery: Delivery) => {
      if (delivery.to === to) this.send(delivery.message);
    });
  });
  RED.nodes.registerType('chaos-out', function (this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    const { event } = config as unknown as { event: 'record' | 'done' | 'error' };
    this.on('input', (message: NodeMessage & Record<string, unknown>, _send, done) => {
      const { action, error: failure } = (message.payload ?? {}) as { action?: string; error?: Failure };
      const error = (message['error'] as Failure | undefined) ?? failure;
      const report: Report = {
        ...{ event, id: String(message['chaos']), key: String(message['key']) },
        ...(action === undefined ? {} : { action }),
        ...(error?.code === undefined ? {} : { code: error.code, text: error.message }),
      };
      process.send?.(report);
      done();
    });
  });
}

/** The ticket nodes for a Request Tracker that is known to settle sooner than others. */
export function registerQuickTicketNodes(RED: NodeAPI, settleMs: number): void {
  registerTicketNodes(RED, { ...requestTracker, capabilities: { ...requestTracker.capabilities, settleMs } });
}
