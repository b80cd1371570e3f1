import { RunGatherer } from '../findings/run-gatherer';
import { asCertDeskError, type CertDeskError } from '../model/errors';
import { runOf, type Finding, type Notification } from '../model/finding';
import type { Repository } from '../repository/repository';
import { groupByRecipient, type Told } from './digest';
import { makeMail, type Mail } from './mail';
import type { MailSettings } from './settings';

export interface DigestCollectorOptions {
  repository: Pick<Repository, 'onRunEnded' | 'runSummary'>;
  settings: MailSettings;
  /** `CertDesk running at …`. */
  scannedBy: string;
  /** `run`: what messages of the run carry. */
  onMail(mail: Mail, run: ReturnType<typeof runOf>): void;
  onError(error: CertDeskError): void;
  now?: () => Date;
}

/**
 * Mails about what was told: one per recipient and run, when the run has ended and nothing came for `digestWaitMs`;
 * or one per Finding at once. Without recipients nothing is kept.
 */
export class DigestCollector {
  private readonly runs: RunGatherer<Digest>;

  constructor(private readonly options: DigestCollectorOptions) {
    this.runs = new RunGatherer<Digest>({
      repository: options.repository,
      settleMs: options.settings.digestWaitMs,
      create: makeDigest,
      onComplete: ({ told, tellMailed }) => {
        this.mail(told);
        tellMailed();
      },
    });
  }

  /**
   * Takes what a policy told; `standing` is not told. Resolves when it was mailed, or at once when it never will be;
   * not at all when `close` comes before.
   */
  async add(finding: Finding, notification: Notification): Promise<void> {
    const { emailTo, emailMode } = this.options.settings;
    if (notification.reason === 'standing' || emailTo.length === 0) return;
    if (emailMode === 'each') return this.mail([{ finding, notification }]);
    const digest = this.runs.touch(finding.runId);
    digest.told.push({ finding, notification });
    await digest.mailed;
  }

  /** Ends without mailing what is gathered: nothing is sent after a close, and the next run tells it again. */
  close(): void {
    this.runs.close();
  }

  private mail(told: Told[]): void {
    const { settings, scannedBy, now = () => new Date() } = this.options;
    const run = runOf(told[0]?.finding ?? { runId: null });
    for (const [address, own] of groupByRecipient(told, settings.emailTo)) {
      let mail: Mail;
      try {
        mail = makeMail(own, address, settings, { scannedBy, now: now() });
      } catch (error) {
        this.options.onError(asCertDeskError(error, 'CONFIG'));
        continue;
      }
      this.options.onMail(mail, run);
    }
  }
}

/** What was told in one run. */
interface Digest {
  told: Told[];
  mailed: Promise<void>;
  tellMailed: () => void;
}

function makeDigest(): Digest {
  let tellMailed = (): void => {};
  const mailed = new Promise<void>(resolve => (tellMailed = resolve));
  return { told: [], mailed, tellMailed };
}
