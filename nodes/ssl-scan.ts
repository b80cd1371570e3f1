import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { VulnerabilityWatch } from '../lib/findings/vulnerability-watch';
import { asCertDeskError, CertDeskError } from '../lib/model/errors';
import type { Finding } from '../lib/model/finding';
import type { EndpointReport } from '../lib/model/report';
import type { Repository } from '../lib/repository/repository';
import { startScan } from '../lib/scan/pool';
import type { Scan } from '../lib/scan/settings';
import { parseTargets, type TargetList } from '../lib/scan/targets/parse';
import { knownTargets } from '../lib/scan/targets/known';
import { text, type Config } from './runtime/config';
import { onClose, onInput, type Send } from './runtime/input';
import { useRepository } from './runtime/repositories';
import { readScanConfig, type ScanConfig } from './runtime/scan-config';
import { show, showConfigError } from './runtime/status';

/** certdesk-ssl-scan: one message per endpoint, one Finding per vulnerable key, one RunSummary. */
export = function register(RED: NodeAPI): void {
  function SslScan(this: Node, definition: NodeDef): void {
    RED.nodes.createNode(this, definition);
    const config = definition as unknown as Config;
    const repository = useRepository(RED, this, config);
    let settings: ScanConfig;
    try {
      settings = readScanConfig(RED, config);
      if (settings.source === 'targets' && text(config, 'targets') !== '') readTargets(config);
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
        settings = readScanConfig(RED, config);
        const memory = await repository.opened;
        const targets =
          message['targets'] === undefined && settings.source === 'repository'
            ? knownTargets(await memory.endpoints(), config['exclude'])
            : readTargets(config, message['targets']);
        const isForced = message['force'] === true;
        const run = new Run(this, send, memory, settings, isForced).scan(targets, scan => (running = scan));
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

/** One run: what the scanner reports is kept, judged and sent on. */
class Run {
  private readonly runId = randomUUID();
  private readonly startedAt = new Date().toISOString();
  private readonly watch: VulnerabilityWatch;
  private readonly judging = new Set<Promise<void>>();
  private failure: unknown = null;
  private total = 0;
  private known = 0;

  constructor(
    private readonly node: Node,
    private readonly send: Send,
    private readonly repository: Repository,
    private readonly settings: ScanConfig,
    private readonly isForced: boolean,
  ) {
    const { runId, isForced: forced } = this;
    this.watch = new VulnerabilityWatch({ repository, settings: settings.findings, runId, forced });
  }

  async scan(targets: TargetList, onStarted: (scan: Scan) => void): Promise<void> {
    const { runId, startedAt, isForced: forced } = this;
    show(this.node, 'busy', 'ssl-scan.status.starting');
    await this.repository.beginRun({ runId, startedAt, forced });
    const scan = startScan(
      { runId, targets, settings: this.settings.scan, forced },
      {
        onEndpoints: endpoints => {
          this.total = endpoints.length;
          this.watch.expect(endpoints);
        },
        onReport: report => this.take(report),
      },
    );
    onStarted(scan);
    const summary = await scan.finished;
    await Promise.all(this.judging);
    const told = { ...summary, startedAt, vulnerable: this.watch.activeKeys };
    await this.repository.endRun(told);
    this.send([null, null, { ...this.common(), topic: 'run', payload: told }]);
    if (this.failure !== null) throw this.failure;
    const look = told.unreachable + told.partial > 0 ? 'waiting' : 'good';
    show(this.node, look, told.stopped ? 'ssl-scan.status.stopped' : `${told.scanned}/${told.endpoints}`);
  }

  private take(report: EndpointReport): void {
    const index = this.known;
    this.known += 1;
    const isLast = this.known === this.total;
    const parts = { id: this.runId, index, ...(isLast ? { count: this.total } : {}) };
    this.repository.record(report);
    this.send([{ ...this.common(), topic: report.endpoint.name, payload: report, parts }, null, null]);
    show(this.node, 'busy', `${this.known}/${this.total}`);
    const judged = this.watch
      .add(report)
      .then(findings => findings.forEach(finding => this.tell(finding)))
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.judging.delete(judged));
    this.judging.add(judged);
  }

  private tell(finding: Finding): void {
    this.send([null, { ...this.common(), topic: finding.key, payload: finding }, null]);
  }

  private common(): { runId: string; force?: true } {
    return { runId: this.runId, ...(this.isForced ? { force: true } : {}) };
  }
}
