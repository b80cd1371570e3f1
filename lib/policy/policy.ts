import { Batcher } from '../findings/batcher';
import { makeOwnRunId } from '../findings/own-run';
import { selectPlaces } from '../findings/selection';
import { placeOf } from '../model/endpoint';
import { CertDeskError } from '../model/errors';
import type { Finding, Notification } from '../model/finding';
import type { KnownFinding, Notice, Repository } from '../repository/repository';
import { decide, decideCleared, emptyNotice, FOR_EVER, isTold, type Decision, type Silences } from './decide';
import { exclusively } from './exclusively';
import type { PolicySettings } from './settings';

export interface PolicyOptions {
  repository: Repository;
  /** Name of the memory of what was told. Policies with the same one silence each other. */
  memory: string;
  settings: PolicySettings;
  now?: () => Date;
}

/** Keys told in this process and not yet known to have gone out, per repository and memory. */
const goingOut = new WeakMap<Repository, Map<string, Set<string>>>();

/** What was decided of one Finding, or the throw that says why that one could not be. */
type Answer = () => Notification | null;

/**
 * A notification policy with its memory in the repository. Findings are decided in the order they come, many at once
 * per query; a key is never decided twice at the same time. All methods reject with REPOSITORY.
 */
export class Policy {
  private readonly deciding: Batcher<Finding, Answer>;
  private readonly confirming: Batcher<string, void>;
  private readonly select: ReturnType<typeof selectPlaces>;
  /** Those of `goingOut` that this policy told. */
  private readonly unconfirmed = new Set<string>();
  private readonly now: () => Date;

  constructor(private readonly options: PolicyOptions) {
    this.now = options.now ?? (() => new Date());
    this.select = selectPlaces(options.settings);
    this.deciding = new Batcher(findings => this.alone(() => this.decideAll(findings)));
    this.confirming = new Batcher(keys => this.alone(() => this.confirmAll(keys)));
  }

  /**
   * What to say of a Finding: null when nothing is to be sent on. `forced`: asked for by hand.
   * Throws BAD_MESSAGE for a Finding that lacks what it is judged by.
   */
  async handle(finding: Finding, options: { forced: boolean }): Promise<Notification | null> {
    const answer = await this.deciding.add(options.forced ? { ...finding, forced: true } : finding);
    return answer();
  }

  /**
   * What was told of the key has gone out. Until then it counts as told in this process only: after a restart in
   * between, the next run tells it again.
   */
  confirm(key: string): Promise<void> {
    return this.confirming.add(key);
  }

  /** What is not confirmed by now did not go out: the next run tells it again. */
  close(): void {
    for (const key of this.unconfirmed) this.goingOut().delete(key);
  }

  /** Nothing of the key until then, forced or not. Throws BAD_MESSAGE. */
  async snooze(command: { key: string; until: string }): Promise<void> {
    const snoozedUntil = readDate(command.until, 'snooze');
    await this.change(command.key, notice => ({ ...notice, snoozedUntil }));
  }

  /** Nothing of the key until then (without an end: until it cleared), unless it gets worse. Throws BAD_MESSAGE. */
  async acknowledge(command: { key: string; until?: string }): Promise<void> {
    const acknowledgedUntil = command.until === undefined ? FOR_EVER : readDate(command.until, 'acknowledge');
    await this.change(command.key, notice => ({
      ...notice,
      acknowledgedUntil,
      acknowledgedCauses: isTold(notice) ? notice.causes : [],
    }));
  }

  /**
   * Leaves a key or a place (`domain@ip`) out until `unretire`. Returns what that ends: Findings `cleared`, as a run of
   * their own, already noted as told with reason `cleared`.
   */
  retire(keyOrPlace: string): Promise<Finding[]> {
    return this.alone(async () => {
      const { repository, memory } = this.options;
      await repository.setRetired(memory, keyOrPlace, true);
      const retired = await repository.retired(memory);
      const open = (await this.found(keyOrPlace)).filter(({ clearedAt }) => clearedAt === null);
      const ended = open.map(({ finding }) => finding).filter(finding => isRetired(finding, retired));
      const notices = await repository.notices(
        memory,
        ended.map(({ key }) => key),
      );
      const now = this.now();
      const runId = makeOwnRunId();
      const told = ended.filter(({ key }) => isTold(notices.get(key) ?? emptyNotice(key)));
      await repository.saveNotices(
        memory,
        told.map(({ key }) => {
          const before = this.settled(notices.get(key) ?? emptyNotice(key));
          return this.tell(before, decideCleared(before, now).notice);
        }),
      );
      return told.map(finding => ({
        ...finding,
        state: 'cleared',
        runId,
        forced: false,
        detectedAt: now.toISOString(),
      }));
    });
  }

  unretire(keyOrPlace: string): Promise<void> {
    return this.alone(() => this.options.repository.setRetired(this.options.memory, keyOrPlace, false));
  }

  private async decideAll(findings: Finding[]): Promise<Answer[]> {
    const { repository, memory } = this.options;
    const retired = await repository.retired(memory);
    const notices = await repository.notices(memory, [...new Set(findings.map(({ key }) => key))]);
    const changed = new Map<string, Notice>();
    const answers = findings.map((finding): Answer => {
      try {
        const before = changed.get(finding.key) ?? this.settled(notices.get(finding.key) ?? null, finding.runId);
        const { notification, notice } = this.decideOne(finding, before, retired);
        const isToldNow = notification !== null && notification.reason !== 'standing';
        changed.set(finding.key, isToldNow ? this.tell(before ?? emptyNotice(finding.key), notice) : notice);
        return () => notification;
      } catch (cause) {
        const text = 'The Finding in msg.payload is damaged. Pass on what SSL Scan or Expiry Check sent, unchanged.';
        return () => {
          throw new CertDeskError('BAD_MESSAGE', text, { cause });
        };
      }
    });
    if (changed.size > 0) await repository.saveNotices(memory, [...changed.values()]);
    return answers;
  }

  private async confirmAll(keys: string[]): Promise<void[]> {
    const { repository, memory } = this.options;
    const notices = await repository.notices(memory, keys);
    const settled = [...notices.values()].map(notice => ({ ...notice, unsent: null }));
    if (settled.length > 0) await repository.saveNotices(memory, settled);
    for (const key of keys) {
      this.goingOut().delete(key);
      this.unconfirmed.delete(key);
    }
    return keys.map(() => undefined);
  }

  /** The notice as it counts: without a telling that a restart cut off. The run that told it gets its answer again. */
  private settled<T extends Notice | null>(notice: T, runId: string | null = null): T | Notice {
    if (!notice?.unsent || this.goingOut().has(notice.key)) return notice;
    return runId !== null && runId === notice.lastRunId ? notice : notice.unsent;
  }

  private tell(before: Notice, after: Notice): Notice {
    this.goingOut().add(after.key);
    this.unconfirmed.add(after.key);
    const { unsent, ...stood } = before;
    return { ...after, unsent: unsent ?? stood };
  }

  private goingOut(): Set<string> {
    const { repository, memory } = this.options;
    const memories = goingOut.get(repository) ?? new Map<string, Set<string>>();
    goingOut.set(repository, memories);
    const keys = memories.get(memory) ?? new Set<string>();
    memories.set(memory, keys);
    return keys;
  }

  private decideOne(finding: Finding, before: Notice | null, retired: ReadonlySet<string>): Decision {
    const silences: Silences = {
      isRetired: isRetired(finding, retired),
      isExcluded: this.select(finding.certificate, finding.endpoints) === null,
    };
    return decide(finding, before, silences, this.options.settings, this.now());
  }

  private change(key: string, edit: (notice: Notice) => Notice): Promise<void> {
    if (!/^[a-z0-9-]{1,40}$/.test(key)) {
      throw new CertDeskError('BAD_MESSAGE', `"${key}" is no key. Take payload.key of the Finding, or its msg.topic.`);
    }
    return this.alone(async () => {
      const { repository, memory } = this.options;
      const notice = (await repository.notices(memory, [key])).get(key) ?? emptyNotice(key);
      await repository.saveNotices(memory, [edit(notice)]);
    });
  }

  /** What is known under a key, or at a place. */
  private async found(keyOrPlace: string): Promise<KnownFinding[]> {
    const { repository } = this.options;
    const keys = [keyOrPlace];
    const [vulnerability, expiry, atPlace] = await Promise.all([
      repository.findings({ kind: 'vulnerability', keys }),
      repository.findings({ kind: 'expiry', keys }),
      repository.findings({ kind: 'vulnerability', places: keys }),
    ]);
    if (vulnerability.length + expiry.length > 0) return [...vulnerability, ...expiry];
    const atAnyPlace = (await repository.findings({ kind: 'expiry' })).filter(({ finding }) =>
      finding.endpoints.some(endpoint => placeOf(endpoint) === keyOrPlace),
    );
    return [...atPlace, ...atAnyPlace];
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    return exclusively(this.options.repository, this.options.memory, work);
  }
}

function isRetired(finding: Finding, retired: ReadonlySet<string>): boolean {
  if (retired.size === 0) return false;
  const places = finding.endpoints.map(placeOf);
  return retired.has(finding.key) || (places.length > 0 && places.every(place => retired.has(place)));
}

function readDate(until: string, command: string): string {
  const time = Date.parse(until);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new CertDeskError(
    'BAD_MESSAGE',
    `msg.${command}.until "${until}" is no date. Write it like 2026-12-24T08:00:00Z.`,
  );
}
