import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { HelpdeskType } from '../../lib/helpdesks/helpdesk';
import { asCertDeskError, CertDeskError } from '../../lib/model/errors';
import { isFinding } from '../../lib/model/finding';
import type { QueueState } from '../../lib/tickets/desk';
import type { Config } from '../runtime/config';
import type { ConnectionNode } from '../runtime/connections';
import { makeDesk, registerDesk } from '../runtime/desks';
import { onClose, onInput } from '../runtime/input';
import { scannedBy, useRepository } from '../runtime/repositories';
import { isRunSummary } from '../runtime/run-summary';
import { show, showConfigError, showError } from '../runtime/status';
import { readOverrides } from '../runtime/ticket-config';

/** certdesk-ticket-<helpdesk> and, where it has one, certdesk-helpdesk-<helpdesk>: one template for all. */
export function registerTicketNodes(RED: NodeAPI, type: HelpdeskType): void {
  function Ticket(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const config = definition as unknown as Config;
    const hold = useRepository(RED, this, config);

    const showQueue = ({ queued, parked, code }: QueueState): void => {
      const counts = [...(parked > 0 ? [`${parked} parked`] : []), ...(queued > 0 ? [`${queued} queued`] : [])];
      if (counts.length > 0) show(this, parked > 0 ? 'bad' : 'waiting', `${counts.join(', ')}: ${code}`);
    };
    const made = hold.opened.then(async repository => {
      const { desk, failure } = makeDesk(RED, config, {
        nodeId: this.id,
        type,
        repository,
        scannedBy: scannedBy(RED, config),
        onRecord: (record, work) => {
          show(this, 'good', `ticket.status.${record.action}`);
          this.send({ ...work.message, topic: record.key, payload: record, finding: work.finding });
        },
        onParked: (error, work) => {
          showError(this, error);
          this.error(error, { ...work.message, payload: work.finding });
        },
        onQueue: showQueue,
        onWarning: warning => this.warn(warning),
      });
      if (failure !== null) showConfigError(this, failure);
      await desk.start();
      return { desk, unregister: registerDesk(desk, repository) };
    });
    made.catch((error: unknown) => showConfigError(this, asCertDeskError(error, 'CONFIG')));

    onInput(this, 'REPOSITORY', async (message, send) => {
      const { desk } = await made;
      if (message['check'] === true) {
        const payload = await desk.check();
        show(this, payload.ok ? 'good' : 'bad', payload.ok ? 'OK' : (payload.checks.find(c => !c.ok)?.id ?? ''));
        send({ ...message, payload });
        return;
      }
      const finding = message.payload;
      if (isRunSummary(finding)) return;
      if (!isFinding(finding)) {
        throw new CertDeskError(
          'BAD_MESSAGE',
          'This node takes Findings: wire output 1 of Notification Policy (or of Expiry Check) into it.',
        );
      }
      const { payload: _, ...rest } = message;
      const record = await desk.handle(finding, { ...readOverrides(message), message: rest });
      if (record.action !== 'queued') show(this, 'good', `ticket.status.${record.action}`);
      send({ ...message, topic: record.key, payload: record, finding });
    });
    onClose(this, async () => {
      const ready = await made.catch(() => null); // told above
      ready?.unregister();
      try {
        await ready?.desk.close();
      } finally {
        await hold.release();
      }
    });
  }
  RED.nodes.registerType(`certdesk-ticket-${type.name}`, Ticket);
  if (type.connectionFields.length > 0) registerConnectionNode(RED, type);
}

function registerConnectionNode(RED: NodeAPI, type: HelpdeskType): void {
  function Connection(this: ConnectionNode, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    this.config = definition as unknown as Config;
  }
  const secrets = type.connectionFields.filter(field => field.secret === true);
  RED.nodes.registerType(`certdesk-helpdesk-${type.name}`, Connection, {
    credentials: Object.fromEntries(
      secrets.map(field => [field.name, { type: field.type === 'password' ? 'password' : 'text' } as const]),
    ),
  });
}
