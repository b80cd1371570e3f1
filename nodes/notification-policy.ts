import { setTimeout as delay } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asCertDeskError, CertDeskError } from '../lib/model/errors';
import { isFinding, runOf, type Finding, type Notification } from '../lib/model/finding';
import { DigestCollector } from '../lib/policy/digest-collector';
import { Policy } from '../lib/policy/policy';
import { formatSyslog } from '../lib/policy/syslog';
import { text, type Config } from './runtime/config';
import { onClose, onInput, type Send } from './runtime/input';
import { readCommand } from './runtime/policy-command';
import { readPolicyConfig } from './runtime/policy-config';
import { isRunSummary } from './runtime/run-summary';
import { scannedBy, useRepository } from './runtime/repositories';
import { show, showConfigError, showError } from './runtime/status';

/** What was sent has been taken by the next nodes by then, unless Node-RED ended in between. */
const ARRIVED_MS = 1000;

/** certdesk-notification-policy: what is due, for tickets, mail and syslog. */
export = function register(RED: NodeAPI): void {
  function NotificationPolicy(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const config = definition as unknown as Config;
    const repository = useRepository(RED, this, config);

    const fail = (error: CertDeskError): void => {
      showError(this, error);
      this.error(error, {});
    };
    const made = repository.opened.then(opened => {
      const settings = readPolicyConfig(config);
      return {
        settings,
        policy: new Policy({ repository: opened, memory: text(config, 'memory', this.id), settings: settings.policy }),
        digest: new DigestCollector({
          repository: opened,
          settings: settings.mail,
          scannedBy: scannedBy(RED, config),
          onMail: (mail, run) => this.send([null, { ...mail, ...run }, null]),
          onError: fail,
        }),
      };
    });
    made.catch((error: unknown) => showConfigError(this, asCertDeskError(error, 'CONFIG')));

    let isClosed = false;
    onInput(this, 'REPOSITORY', async (message, send) => {
      const { policy, digest, settings } = await made;
      const tell = (finding: Finding, notification: Notification, out: Send): void => {
        const isTold = notification.reason !== 'standing';
        const run = runOf(finding);
        const { retire: _, ...rest } = message;
        out([
          { ...rest, ...run, topic: finding.key, payload: finding, notification },
          null,
          isTold ? { ...run, topic: finding.key, payload: formatSyslog(finding, notification, settings.syslog) } : null,
        ]);
        show(this, isTold ? 'good' : 'idle', `notification-policy.status.${notification.reason}`);
        if (!isTold) return;
        Promise.all([digest.add(finding, notification), delay(ARRIVED_MS, undefined, { ref: false })])
          .then(() => (isClosed ? undefined : policy.confirm(finding.key)))
          .catch((error: unknown) => fail(asCertDeskError(error, 'REPOSITORY')));
      };

      const command = readCommand(message);
      if (command !== null) {
        if (command.name === 'snooze') await policy.snooze(command);
        else if (command.name === 'acknowledge') await policy.acknowledge(command);
        else if (command.name === 'unretire') await policy.unretire(command.key);
        else {
          for (const finding of await policy.retire(command.key)) {
            tell(finding, { reason: 'cleared', threshold: null, count: 1, lastAt: null }, send);
          }
        }
        show(this, 'idle', `notification-policy.status.${command.name}`);
        return;
      }
      if (isRunSummary(message.payload)) return;
      if (!isFinding(message.payload)) {
        throw new CertDeskError(
          'BAD_MESSAGE',
          'This node takes Findings: wire output 2 of SSL Scan or output 1 of Expiry Check into it.',
        );
      }
      const notification = await policy.handle(message.payload, { forced: message['force'] === true });
      if (notification !== null) tell(message.payload, notification, send);
    });
    onClose(this, async () => {
      isClosed = true;
      await made.then(({ policy, digest }) => (policy.close(), digest.close())).catch(() => {}); // told above
      await repository.release();
    });
  }
  RED.nodes.registerType('certdesk-notification-policy', NotificationPolicy);
};
