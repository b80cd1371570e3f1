import { RunGatherer } from '../findings/run-gatherer';
import { asCertDeskError, type CertDeskError } from '../model/errors';
import type { Finding, Notification } from '../model/finding';
import type { Repository } from '../repository/repository';
import { groupByRecipient, type Told } from './digest';
import { makeMail, type Mail } from './mail';
import type { MailSettings } from './settings';

export interface DigestCollectorOptions {
  repository: Pick<Repository, 'onRunEnded' | 'runSummary'>;
  settings: MailSettings;
  /** `CertDesk running at …`. */
  scannedBy: string;
  onMail(mail: Mail): void;
  onError(error: CertDeskError): void;
  now?: () => Date;
}

/**
 * Mails about what was told: one per recipient and run, when the run has ended and nothing came for `digestWaitMs`;
 * or one per Finding at once. Without recipients nothing is kept.
 */
export class DigestCollector {
  private readonly runs: RunGatherer<Told[]>;

  constructor(private readonly options: DigestCollectorOptions) {
    this.runs = new RunGatherer<Told[]>({
      repository: options.repository,
      settleMs: options.settings.digestWaitMs,
      create: () => [],
      onComplete: told => this.mail(told),
    });
  }

  /** Takes what a policy told; `standing` is not told. */
  add(finding: Finding, notification: Notification): void {
    const { emailTo, emailMode } = this.options.settings;
    if (notification.reason === 'standing' || emailTo.length === 0) return;
    if (emailMode === 'each') this.mail([{ finding, notification }]);
    else this.runs.touch(finding.runId).push({ finding, notification });
  }

  /** Mails what is gathered, then ends: what was told will not come again by itself. */
  close(): void {
    this.runs.completeAll();
    this.runs.close();
  }

  private mail(told: Told[]): void {
    const { settings, scannedBy, now = () => new Date() } = this.options;
    for (const [address, own] of groupByRecipient(told, settings.emailTo)) {
      let mail: Mail;
      try {
        mail = makeMail(own, address, settings, { scannedBy, now: now() });
      } catch (error) {
        this.options.onError(asCertDeskError(error, 'CONFIG'));
        continue;
      }
      this.options.onMail(mail);
    }
  }
}
