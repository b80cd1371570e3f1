import type { Certificate } from '../model/certificate';
import { asCertDeskError, type CertDeskError } from '../model/errors';
import type { Finding } from '../model/finding';
import type { EndpointReport } from '../model/report';
import type { KnownEndpoint, Repository } from '../repository/repository';
import { isDue, judgeExpiry, possibleKeys } from './expiry';
import { readExpiryInput, type ExpiryInput, type ExpiryMessage } from './expiry-input';
import { ExpiryRun } from './expiry-run';
import { KnownKeys } from './known-keys';
import { isOwnRun, makeOwnRunId } from './own-run';
import { wasStopped } from './port-view';
import { RunGatherer } from './run-gatherer';
import { selectPlaces } from './selection';
import type { ExpirySettings } from './settings';

export interface ExpiryCheckOptions {
  repository: Repository;
  settings: ExpirySettings;
  /** Once per complete run, in message mode; with no Findings as well. */
  onFindings(findings: Finding[], run: { runId: string }): void | Promise<void>;
  /** A run that could not be judged, with the message that came last of it. */
  onError(error: CertDeskError, message?: ExpiryMessage): void;
  now?: () => Date;
  /** How long after the end of a scan its messages may still come. */
  settleMs?: number;
}

/** Runs whose told keys are remembered, for messages that come after their run was judged. */
const REMEMBERED_RUNS = 5;

/**
 * Expiry Findings: gathers what belongs to one run and judges it when it is complete, one Finding per certificate.
 * Certificates that are neither due nor known from before cost no query.
 */
export class ExpiryCheck {
  private readonly runs: RunGatherer<ExpiryRun>;
  private readonly known: KnownKeys;
  private readonly told = new Map<string, Set<string>>();
  private readonly select: ReturnType<typeof selectPlaces>;
  private readonly now: () => Date;
  private isClosed = false;

  constructor(private readonly options: ExpiryCheckOptions) {
    const { repository, settings, settleMs = 1000 } = options;
    this.now = options.now ?? (() => new Date());
    this.select = selectPlaces(settings);
    this.known = new KnownKeys(repository, this.now);
    this.runs = new RunGatherer({
      repository,
      settleMs,
      create: runId => new ExpiryRun(runId ?? makeOwnRunId()),
      onComplete: (run, { summary }) => {
        if (summary !== null) run.end(summary);
        this.tell(run).catch((error: unknown) =>
          options.onError(asCertDeskError(error, 'REPOSITORY'), run.lastMessage),
        );
      },
    });
  }

  /**
   * Takes an EndpointReport, a certificate (PEM text or DER) or an array of them. Messages of a scan are gathered until
   * all parts of its sequence are here, or until the repository says that it has ended and nothing came for
   * `settleMs`; any other message is a run of its own and judged before this resolves.
   * `notDue`: nothing in the message is due. Throws BAD_MESSAGE, REPOSITORY.
   */
  async add(payload: unknown, message: ExpiryMessage): Promise<{ notDue: boolean }> {
    const ownRunId = makeOwnRunId();
    const input = readExpiryInput(payload, message, ownRunId, this.now());
    for (const report of input.reports) this.options.repository.record(report);
    const run = input.runId === null ? new ExpiryRun(ownRunId) : this.runs.touch(input.runId);
    if (message.force === true) run.forced = true;
    run.isStopped ||= input.reports.some(wasStopped);
    run.lastMessage = message;
    const reading = run.expect(this.candidates(input));
    if (input.part !== null && input.runId !== null && run.addPart(input.part)) {
      this.runs.take(input.runId);
      const summary = await this.options.repository.runSummary(input.runId);
      if (summary !== null) run.end(summary);
      await this.tell(run);
    } else if (input.runId === null) {
      await reading;
      await this.tell(run);
    }
    return { notDue: (await reading).due.length === 0 };
  }

  /** Judges every certificate that the repository knows: a run of its own. Throws REPOSITORY. */
  async judgeAll(force: boolean): Promise<Finding[]> {
    const { repository, settings } = this.options;
    const run = new ExpiryRun(makeOwnRunId());
    run.forced = force;
    const certificates = await this.lastCertificates(await repository.endpoints());
    const due = certificates.filter(certificate => isDue(certificate, settings, this.now()));
    await run.expect(this.known.all().then(keys => ({ due, keys })));
    return this.judge(run);
  }

  /** Nothing is told after. */
  close(): void {
    this.isClosed = true;
    this.runs.close();
  }

  private async tell(run: ExpiryRun): Promise<void> {
    const findings = await this.judge(run);
    if (!this.isClosed) await this.options.onFindings(findings, { runId: run.runId });
  }

  /** What a message brings to be judged: certificates due by their dates, and keys told before of its endpoints. */
  private async candidates(input: ExpiryInput): Promise<{ due: Certificate[]; keys: string[] }> {
    const { repository, settings } = this.options;
    const now = this.now();
    const keys = await this.known.of(input.reports.map(report => report.endpoint.name));
    const silent = input.reports.filter(isSilent).map(report => report.endpoint.name);
    const remembered = silent.length === 0 ? [] : await repository.endpoints({ names: silent });
    const certificates = [...input.reports.flatMap(servedBy), ...(await this.lastCertificates(remembered))];
    const endpoints = input.reports.map(report => report.endpoint);
    const due = certificates.filter(c => isDue(c, settings, now) && this.select(c, endpoints) !== null);
    return { due, keys };
  }

  private async lastCertificates(endpoints: readonly KnownEndpoint[]): Promise<Certificate[]> {
    const fingerprints = new Set(endpoints.flatMap(({ sightings }) => sightings[0]?.fingerprints ?? []));
    if (fingerprints.size === 0) return [];
    return [...(await this.options.repository.certificates([...fingerprints])).values()];
  }

  private async judge(run: ExpiryRun): Promise<Finding[]> {
    const { repository, settings } = this.options;
    const { due, keys: before } = await run.candidates();
    const keys = [...new Set([...before, ...due.flatMap(possibleKeys)])];
    if (keys.length === 0) return [];
    const known = await repository.findings({ kind: 'expiry', keys });
    const candidates = uniqueCertificates([...due, ...known.map(({ finding }) => finding.certificate)]);
    const fingerprints = candidates.map(certificate => certificate.fingerprint256);
    const holders = await repository.endpoints({ fingerprints });
    const held = new Set(holders.flatMap(({ sightings }) => sightings.flatMap(s => s.fingerprints)));
    const gone = known.filter(({ finding }) => !held.has(finding.certificate.fingerprint256));
    const names = gone.flatMap(({ finding }) => finding.endpoints.map(endpoint => endpoint.name));
    const left = names.length === 0 ? [] : await repository.endpoints({ names });
    const endpoints = [...new Map([...holders, ...left].map(seen => [seen.endpoint.name, seen])).values()];
    const seen = endpoints.flatMap(({ sightings }) => sightings.flatMap(s => s.fingerprints));
    const { runId, forced, isStopped } = run;
    const judged = judgeExpiry({
      runId,
      forced,
      isStopped,
      now: this.now(),
      settings,
      candidates,
      known,
      endpoints,
      certificates: seen.length === 0 ? new Map() : await repository.certificates(seen),
      ambiguous: await repository.ambiguousCertificates(fingerprints),
    });
    if (judged.changed.length > 0) await repository.saveFindings(judged.changed);
    this.known.update([...known, ...judged.changed]);
    return this.onlyNew(runId, judged.findings);
  }

  /** One Finding per certificate and run, also when messages of a run come after it was judged. */
  private onlyNew(runId: string, findings: Finding[]): Finding[] {
    if (isOwnRun(runId)) return findings;
    const told = this.told.get(runId) ?? new Set();
    this.told.delete(runId);
    this.told.set(runId, told);
    for (const oldest of [...this.told.keys()].slice(0, -REMEMBERED_RUNS)) this.told.delete(oldest);
    const left = findings.filter(finding => !told.has(finding.key));
    for (const { key } of left) told.add(key);
    return left;
  }
}

/** Certificates that a report shows; none when the endpoint was not reached. */
function servedBy(report: EndpointReport): Certificate[] {
  if (report.status === 'unreachable' || report.certificate === null) return [];
  return [report.certificate, ...report.otherCertificates];
}

/** Whether what was known before of the endpoint's certificates counts on. */
function isSilent(report: EndpointReport): boolean {
  return servedBy(report).length === 0 || report.certificatesComplete === false;
}

function uniqueCertificates(certificates: readonly Certificate[]): Certificate[] {
  return [...new Map(certificates.map(certificate => [certificate.fingerprint256, certificate])).values()];
}
