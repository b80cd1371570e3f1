import type { Node, NodeAPI, NodeDef } from 'node-red';
import { CertDeskError, asCertDeskError } from '../lib/model/errors';
import { isFinding, type Finding, type Notification } from '../lib/model/finding';
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

/** certdesk-notification-policy: what is due, for tickets, mail and syslog. */
export = function register(RED: NodeAPI): void {
  function NotificationPolicy(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const config = definition as unknown as Config;
    const repository = useRepository(RED, this, config);

    const made = repository.opened.then(opened => {
      const settings = readPolicyConfig(config);
      return {
        settings,
        policy: new Policy({ repository: opened, memory: text(config, 'memory', this.id), settings: settings.policy }),
        digest: new DigestCollector({
          repository: opened,
          settings: settings.mail,
          scannedBy: scannedBy(RED, config),
          onMail: mail => this.send([null, { ...mail }, null]),
          onError: error => {
            showError(this, error);
            this.error(error, {});
          },
        }),
      };
    });
    made.catch((error: unknown) => showConfigError(this, asCertDeskError(error, 'CONFIG')));

    onInput(this, 'REPOSITORY', async (message, send) => {
      const { policy, digest, settings } = await made;
      const tell = (finding: Finding, notification: Notification, out: Send): void => {
        const isTold = notification.reason !== 'standing';
        out([
          { ...message, topic: finding.key, payload: finding, notification },
          null,
          isTold ? { topic: finding.key, payload: formatSyslog(finding, notification, settings.syslog) } : null,
        ]);
        if (isTold) digest.add(finding, notification);
        show(this, isTold ? 'good' : 'idle', `notification-policy.status.${notification.reason}`);
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
      await made.then(({ digest }) => digest.close()).catch(() => {}); // told above
      await repository.release();
    });
  }
  RED.nodes.registerType('certdesk-notification-policy', NotificationPolicy);
};
