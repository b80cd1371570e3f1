import { causesOfFinding } from '../findings/causes';
import { EXPIRY_CAUSE } from '../findings/expiry';
import { daysLeft, isWithinDays } from '../model/dates';
import type { Finding, Notification, Reason } from '../model/finding';
import type { Notice } from '../repository/repository';
import { isFrequencyDue } from './calendar';
import type { PolicySettings } from './settings';

/** What keeps a Finding from being told, beside what its Notice says. */
export interface Silences {
  /** The key, or every place of the Finding, is retired. */
  isRetired: boolean;
  isExcluded: boolean;
}

export interface Decision {
  /** Null: nothing is sent on. */
  notification: Notification | null;
  /** To be kept. */
  notice: Notice;
}

/**
 * What a policy says of a Finding, given what it told of its key before. Pure. The same key, state and run get the
 * same answer again.
 */
export function decide(
  finding: Finding,
  before: Notice | null,
  silences: Silences,
  settings: PolicySettings,
  now: Date,
): Decision {
  const notice = before ?? emptyNotice(finding.key);
  const earlier = answerOfRun(finding, notice);
  if (earlier !== undefined) return { notification: earlier, notice };
  const decision = finding.state === 'cleared' ? decideCleared(notice, now) : undefined;
  const { notification, notice: after } = decision ?? decideOpen(finding, notice, silences, settings, now);
  return {
    notification,
    notice: { ...after, lastRunId: finding.runId, lastNotification: remember(finding, notification) },
  };
}

export function emptyNotice(key: string): Notice {
  return {
    key,
    lastAt: null,
    count: 0,
    thresholds: [],
    causes: [],
    lastRunId: null,
    lastNotification: null,
    clearedAt: null,
    snoozedUntil: null,
    acknowledgedUntil: null,
    acknowledgedCauses: [],
  };
}

/** Until then an acknowledgement without an end lasts: until the key clears. */
export const FOR_EVER = '9999-12-31T23:59:59.999Z';

/** Told once each time something was told as active before. */
export function decideCleared(notice: Notice, now: Date): Decision {
  const isOver = notice.acknowledgedUntil === FOR_EVER;
  const after = isOver ? { ...notice, acknowledgedUntil: null, acknowledgedCauses: [] } : notice;
  if (!isTold(notice)) return { notification: notify('standing', notice), notice: after };
  const at = now.toISOString();
  return {
    notification: notify('cleared', notice),
    notice: { ...after, lastAt: at, count: notice.count + 1, clearedAt: at },
  };
}

/** Whether the key was told as active, and not as cleared since. */
export function isTold(notice: Notice): boolean {
  return notice.lastAt !== null && notice.clearedAt === null;
}

/** `active` and `unknown`. */
function decideOpen(
  finding: Finding,
  notice: Notice,
  silences: Silences,
  settings: PolicySettings,
  now: Date,
): Decision {
  const causes = causesNow(finding, settings, now);
  const kept = adoptAcknowledgement(notice, causes);
  if (silences.isRetired || silences.isExcluded || isSilenced(kept, causes, now)) {
    return { notification: null, notice: kept };
  }
  if (finding.state === 'unknown') return { notification: notify('standing', kept), notice: kept };
  const passed = passedThresholds(finding, settings, now);
  const { reason, threshold } = reasonOf(finding, kept, { causes, passed }, settings, now);
  if (reason === 'standing') return { notification: notify(reason, kept), notice: kept };
  const used = isTold(kept) ? kept.thresholds : [];
  return {
    notification: notify(reason, kept, threshold),
    notice: {
      ...kept,
      lastAt: now.toISOString(),
      count: kept.count + 1,
      thresholds: [...new Set([...used, ...passed])],
      causes,
      clearedAt: null,
    },
  };
}

function reasonOf(
  finding: Finding,
  notice: Notice,
  { causes, passed }: { causes: string[]; passed: number[] },
  settings: PolicySettings,
  now: Date,
): { reason: Reason; threshold: number | null } {
  if (!isTold(notice) || notice.lastAt === null) return { reason: 'new', threshold: null };
  if (finding.kind === 'expiry') {
    const closest = Math.min(...passed);
    if (closest < Math.min(...notice.thresholds)) return { reason: 'worse', threshold: closest };
  } else if (causes.some(cause => !notice.causes.includes(cause))) {
    return { reason: 'worse', threshold: null };
  }
  const isDue =
    finding.forced === true ||
    isFrequencyDue(settings.frequency, settings.timeZone, notice.lastAt, now) ||
    isToldEveryRun(finding, settings, now);
  return { reason: isDue ? 'due' : 'standing', threshold: null };
}

function isToldEveryRun(finding: Finding, { everyRunBelowDays }: PolicySettings, now: Date): boolean {
  if (finding.kind !== 'expiry' || everyRunBelowDays === null) return false;
  return daysLeft(finding.certificate.notAfter, now) < everyRunBelowDays;
}

function passedThresholds(finding: Finding, settings: PolicySettings, now: Date): number[] {
  if (finding.kind !== 'expiry') return [];
  return settings.thresholds.filter(days => isWithinDays(finding.certificate.notAfter, days, now));
}

/** What is wrong now, as kept in a Notice; of an expiring certificate, how close it is. */
function causesNow(finding: Finding, settings: PolicySettings, now: Date): string[] {
  if (finding.kind === 'vulnerability') return causesOfFinding(finding);
  return [EXPIRY_CAUSE, ...passedThresholds(finding, settings, now).map(days => `${EXPIRY_CAUSE} ${days}`)];
}

/** What was acknowledged before it was ever told stands for what is wrong when it is first seen. */
function adoptAcknowledgement(notice: Notice, causes: string[]): Notice {
  if (notice.acknowledgedUntil === null || notice.acknowledgedCauses.length > 0) return notice;
  return { ...notice, acknowledgedCauses: causes };
}

function isSilenced(notice: Notice, causes: readonly string[], now: Date): boolean {
  const { snoozedUntil, acknowledgedUntil, acknowledgedCauses } = notice;
  if (snoozedUntil !== null && Date.parse(snoozedUntil) > now.getTime()) return true;
  if (acknowledgedUntil === null || Date.parse(acknowledgedUntil) <= now.getTime()) return false;
  return causes.every(cause => acknowledgedCauses.includes(cause));
}

function notify(reason: Reason, notice: Notice, threshold: number | null = null): Notification {
  const count = notice.count + (reason === 'standing' ? 0 : 1);
  return { reason, threshold, count, lastAt: notice.lastAt };
}

function remember(finding: Finding, notification: Notification | null): string {
  return JSON.stringify({ state: finding.state, notification });
}

/** Undefined when this run has not asked yet. */
function answerOfRun(finding: Finding, notice: Notice): Notification | null | undefined {
  if (finding.runId === null || finding.runId !== notice.lastRunId || notice.lastNotification === null)
    return undefined;
  const last = JSON.parse(notice.lastNotification) as { state: Finding['state']; notification: Notification | null };
  return last.state === finding.state ? last.notification : undefined;
}
