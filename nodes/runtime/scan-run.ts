import { randomUUID } from 'node:crypto';
import type { Node } from 'node-red';
import { VulnerabilityWatch } from '../../lib/findings/vulnerability-watch';
import { asCertDeskError, type CertDeskError } from '../../lib/model/errors';
import { runOf, type Finding } from '../../lib/model/finding';
import { failureReason, type EndpointReport } from '../../lib/model/report';
import type { Repository } from '../../lib/repository/repository';
import { startScan } from '../../lib/scan/pool';
import type { Scan } from '../../lib/scan/settings';
import type { TargetList } from '../../lib/scan/targets/parse';
import type { Send } from './input';
import type { ScanConfig } from './scan-config';
import { show } from './status';

/** One run of SSL Scan: what the scanner reports is kept, judged and sent on. */
export class ScanRun {
  private readonly runId = randomUUID();
  private readonly startedAt = new Date().toISOString();
  private readonly watch: VulnerabilityWatch;
  private readonly judging = new Set<Promise<void>>();
  private failure: CertDeskError | null = null;
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
        onPlace: (endpoints, total) => {
          this.total = total;
          this.watch.expect(endpoints);
        },
        onReport: (report, isLast) => this.take(report, isLast),
      },
    );
    onStarted(scan);
    const summary = await scan.finished;
    await Promise.all(this.judging);
    for (const place of this.watch.unkeyed) {
      this.node.warn(`${place} is weak, but showed no readable certificate to make a ticket's key of. See its report.`);
    }
    const told = { ...summary, startedAt, vulnerable: this.watch.activeKeys };
    await this.repository.endRun(told);
    this.send([null, null, { ...this.common(), topic: 'run', payload: told }]);
    if (this.failure !== null) throw this.failure;
    if (told.endpoints === 0) this.node.warn('Nothing was scanned: every target is left out by the excludes.');
    const look = told.unreachable + told.partial > 0 || told.endpoints === 0 ? 'waiting' : 'good';
    show(this.node, look, told.stopped ? 'ssl-scan.status.stopped' : `${told.scanned}/${told.endpoints}`);
  }

  private take(report: EndpointReport, isLast: boolean): void {
    const index = this.known;
    this.known += 1;
    const parts = { id: this.runId, index, ...(isLast ? { count: this.total } : {}) };
    if (failureReason(report) !== 'STOPPED') this.repository.record(report); // nothing was learned of it
    this.send([{ ...this.common(), topic: report.endpoint.name, payload: report, parts }, null, null]);
    show(this.node, 'busy', `${this.known}/${this.total}`);
    const judged = this.watch
      .add(report)
      .then(findings => findings.forEach(finding => this.tell(finding)))
      .catch((error: unknown) => {
        this.failure ??= asCertDeskError(error, 'REPOSITORY');
      })
      .finally(() => this.judging.delete(judged));
    this.judging.add(judged);
  }

  private tell(finding: Finding): void {
    this.send([null, { ...this.common(), topic: finding.key, payload: finding }, null]);
  }

  private common(): ReturnType<typeof runOf> {
    return runOf({ runId: this.runId, forced: this.isForced });
  }
}
