import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { asCertDeskError, CertDeskError } from '../lib/model/errors';
import type { Scan } from '../lib/scan/settings';
import { parseTargets, type TargetList } from '../lib/scan/targets/parse';
import { knownTargets } from '../lib/scan/targets/known';
import { text, type Config } from './runtime/config';
import { onClose, onInput, type Send } from './runtime/input';
import { useRepository } from './runtime/repositories';
import { readScanConfig } from './runtime/scan-config';
import { ScanRun } from './runtime/scan-run';
import { showConfigError } from './runtime/status';

/** certdesk-ssl-scan: one message per endpoint, one Finding per vulnerable key, one RunSummary. */
export = function register(RED: NodeAPI): void {
  function SslScan(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const config = definition as unknown as Config;
    const repository = useRepository(RED, this, config);
    try {
      const { source } = readScanConfig(RED, config);
      if (source === 'targets' && text(config, 'targets') !== '') readTargets(config);
    } catch (error) {
      showConfigError(this, asCertDeskError(error, 'CONFIG'));
    }

    /** The run that is under way; it may still be starting when it is stopped. */
    let running: { scan: Scan | null; isStopped: boolean; ended: Promise<unknown> } | null = null;
    const stop = (): void => {
      if (running === null) return;
      running.isStopped = true;
      running.scan?.stop();
    };
    const run = async (message: NodeMessage, send: Send, state: NonNullable<typeof running>): Promise<void> => {
      const settings = readScanConfig(RED, config);
      const memory = await repository.opened;
      const targets =
        message['targets'] === undefined && settings.source === 'repository'
          ? knownTargets(await memory.endpoints(), config['exclude'])
          : readTargets(config, message['targets']);
      await new ScanRun(this, send, memory, settings, message['force'] === true).scan(targets, scan => {
        state.scan = scan;
        if (state.isStopped) scan.stop();
      });
    };

    onInput(this, 'REPOSITORY', async (message, send) => {
      if (message['stop'] === true) return stop();
      if (running !== null) {
        throw new CertDeskError('BUSY', 'A scan is running. Wait for its summary, or end it with msg.stop = true.');
      }
      const state = { scan: null, isStopped: false, ended: Promise.resolve() as Promise<unknown> };
      running = state;
      const ended = run(message, send, state).finally(() => (running = null));
      state.ended = ended.catch(() => {}); // told by the message itself
      await ended;
    });
    onClose(this, async () => {
      stop();
      await running?.ended;
      await repository.release();
    });
  }
  RED.nodes.registerType('certdesk-ssl-scan', SslScan);
};

/** The message's own targets, else the property's. */
function readTargets(config: Config, targets: unknown = config['targets']): TargetList {
  return parseTargets(targets, { exclude: config['exclude'] });
}
