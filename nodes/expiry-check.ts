import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { ExpiryCheck } from '../lib/findings/expiry-check';
import type { ExpirySettings } from '../lib/findings/settings';
import { asCertDeskError, type CertDeskError } from '../lib/model/errors';
import { runOf, type Finding } from '../lib/model/finding';
import { choice, list, number, optionalNumber, type Config } from './runtime/config';
import { onClose, onInput, type Send } from './runtime/input';
import { useRepository } from './runtime/repositories';
import { show, showConfigError, showError } from './runtime/status';

/** certdesk-expiry-check: one Finding per expiring certificate and run. */
export = function register(RED: NodeAPI): void {
  function ExpiryCheckNode(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const config = definition as unknown as Config;
    const repository = useRepository(RED, this, config);

    const tell = (findings: Finding[], out: Send = message => this.send(message), from: object = {}): void => {
      for (const finding of findings) {
        out([{ ...from, ...runOf(finding), topic: finding.key, payload: finding }, null]);
      }
      const active = findings.filter(finding => finding.state === 'active').length;
      show(this, active > 0 ? 'waiting' : 'good', `${active} expiring`);
    };
    const fail = (error: CertDeskError, message: object = {}): void => {
      showError(this, error);
      this.error(error, message as NodeMessage);
    };
    const made = repository.opened.then(
      opened =>
        new ExpiryCheck({
          repository: opened,
          settings: readConfig(config),
          onFindings: findings => tell(findings),
          onError: fail,
        }),
    );
    made.catch((error: unknown) => showConfigError(this, asCertDeskError(error, 'CONFIG')));

    onInput(this, 'REPOSITORY', async (message, send) => {
      const check = await made;
      if (choice(config, 'source', ['message', 'repository']) === 'repository') {
        tell(await check.judgeAll(message['force'] === true), send, message);
        return;
      }
      const { notDue } = await check.add(message.payload, message);
      if (notDue) send([null, message]);
    });
    onClose(this, async () => {
      await made.then(check => check.close()).catch(() => {}); // told above
      await repository.release();
    });
  }
  RED.nodes.registerType('certdesk-expiry-check', ExpiryCheckNode);
};

function readConfig(config: Config): ExpirySettings {
  return {
    days: number(config, 'days', 30, { min: 0, max: 100_000 }),
    percent: optionalNumber(config, 'percent', { min: 0, max: 100 }),
    include: list(config, 'include'),
    exclude: list(config, 'exclude'),
  };
}
