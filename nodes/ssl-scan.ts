import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asCertDeskError, CertDeskError } from '../lib/model/errors';
import type { Scan } from '../lib/scan/settings';
import { parseTargets, type TargetList } from '../lib/scan/targets/parse';
import { knownTargets } from '../lib/scan/targets/known';
import { text, type Config } from './runtime/config';
import { onClose, onInput } from './runtime/input';
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

    /** The running scan; `starting` until its targets are known. */
    let running: Scan | 'starting' | null = null;
    let ended: Promise<unknown> = Promise.resolve();
    onInput(this, 'REPOSITORY', async (message, send) => {
      if (message['stop'] === true) {
        if (running !== null && running !== 'starting') running.stop();
        return;
      }
      if (running !== null) {
        throw new CertDeskError('BUSY', 'A scan is running. Wait for its summary, or end it with msg.stop = true.');
      }
      running = 'starting';
      try {
        const settings = readScanConfig(RED, config);
        const memory = await repository.opened;
        const targets =
          message['targets'] === undefined && settings.source === 'repository'
            ? knownTargets(await memory.endpoints(), config['exclude'])
            : readTargets(config, message['targets']);
        const isForced = message['force'] === true;
        const run = new ScanRun(this, send, memory, settings, isForced).scan(targets, scan => (running = scan));
        ended = run.catch(() => {}); // told by the message itself
        await run;
      } finally {
        running = null;
      }
    });
    onClose(this, async () => {
      if (running !== null && running !== 'starting') running.stop();
      await ended;
      await repository.release();
    });
  }
  RED.nodes.registerType('certdesk-ssl-scan', SslScan);
};

/** The message's own targets, else the property's. */
function readTargets(config: Config, targets: unknown = config['targets']): TargetList {
  return parseTargets(targets, { exclude: config['exclude'] });
}
