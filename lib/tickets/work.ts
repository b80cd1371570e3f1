import { createHash, randomUUID } from 'node:crypto';
import type { Endpoint } from '../model/endpoint';
import type { Finding, Notification, Reason } from '../model/finding';
import type { TicketStatus } from '../model/ticket';
import type { CarriedNotice, Work } from '../repository/repository';
import type { Step } from './decide';
import type { TicketOverrides } from './settings';

/** What a desk keeps in `Work.message`: the message that came, and how far its Finding has got. */
interface Kept {
  message: Record<string, unknown>;
  notification?: Notification;
  overrides?: TicketOverrides;
  /** Stands in every note made for it, so that a note can be recognised after a time-out or a kill. */
  marker: string;
  /** Steps that are known to be done. */
  done: Step[];
  /** Set just before a create is sent: a ticket found later that nobody knew is the one made by it. */
  trying?: { step: 'create' | 'follow-up'; marker: string; endpoints: Endpoint[]; results: string[] };
  /** Status before a reopening was sent: what there is to say then is said also when its answer got lost. */
  reopenedFrom?: TicketStatus;
  /** A create was repeated without knowing whether the first one arrived: see TicketRecord. */
  unsureUntil?: string;
  /** Notices of older work that this work stands for. */
  replaced: CarriedNotice[];
}

/** Work with its kept state readable. */
export type DeskWork = Omit<Work, 'message'> & { message: Kept };

export interface NewWork {
  desk: string;
  nodeId: string;
  finding: Finding;
  notification?: Notification;
  overrides?: TicketOverrides;
  message: Record<string, unknown>;
  now: Date;
}

/** The intent to carry out one Finding, before anything is sent. */
export function makeWork(options: NewWork): DeskWork {
  const { desk, nodeId, finding, notification, overrides, now } = options;
  const id = randomUUID();
  const at = now.toISOString();
  return {
    id,
    desk,
    nodeId,
    key: finding.key,
    finding,
    message: {
      message: onlyJson(options.message),
      ...(notification === undefined ? {} : { notification }),
      ...(overrides === undefined ? {} : { overrides }),
      marker: markerOf(finding, id),
      done: [],
      replaced: [],
    },
    state: 'queued',
    error: { code: '', message: '' },
    attempts: 0,
    createdAt: at,
    nextAt: at,
  };
}

/** The row for the repository. */
export function toRow(work: DeskWork): Work {
  return { ...work, message: { ...work.message } };
}

export function fromRow(work: Work): DeskWork {
  return { ...work, message: work.message as unknown as Kept };
}

/** As callbacks get it: with the message that came. */
export function forCallback(work: DeskWork): Work {
  return { ...work, message: work.message.message };
}

export function reasonOf(work: DeskWork): Reason {
  return work.message.notification?.reason ?? 'due';
}

/**
 * The notice that a work carries out; null for a Finding of no run, which is a notice of its own each time.
 * A `standing` notice has a name of its own: what it leaves undone, a `due` one of the same run still does.
 */
export function noticeOf(work: DeskWork): CarriedNotice | null {
  const { key, runId, state } = work.finding;
  if (runId === null) return null;
  const isStanding = state === 'active' && reasonOf(work) === 'standing';
  return { key, state, runId: isStanding ? `${runId} standing` : runId };
}

/** All notices that are carried out when the work is done. */
export function noticesOf(work: DeskWork): CarriedNotice[] {
  const own = noticeOf(work);
  return own === null ? work.message.replaced : [...work.message.replaced, own];
}

/**
 * A newer Finding takes the place of one of the same key that still waits: one action brings the ticket to where both
 * would have brought it. What the older one was due for is not lost: a newer one that is only `standing` becomes due.
 * An older problem that is over by now needs no ticket any more; an older clearing that is undone is not told.
 */
export function replace(older: DeskWork, newer: DeskWork): DeskWork {
  const isActive = newer.finding.state === 'active';
  const inheritsReason = isActive && older.finding.state === 'active' && reasonOf(newer) === 'standing';
  const isSameClearing = !isActive && older.finding.state === newer.finding.state;
  const { message } = older;
  const own = noticeOf(older);
  const { notification: newerWord, ...fresh } = newer.message;
  const word = inheritsReason ? message.notification : newerWord;
  return {
    ...newer,
    attempts: older.attempts,
    createdAt: older.createdAt,
    message: {
      ...fresh,
      ...(word === undefined ? {} : { notification: word }),
      // Clearing is told once: a note that may have been sent already is looked for by its own marker.
      marker: isSameClearing ? message.marker : newer.message.marker,
      done: [
        ...(isSameClearing ? message.done : message.done.filter(step => isActive && step === 'reopen')),
        ...fresh.done,
      ],
      ...(message.trying === undefined || fresh.trying !== undefined ? {} : { trying: message.trying }),
      ...(isActive && message.reopenedFrom !== undefined ? { reopenedFrom: message.reopenedFrom } : {}),
      ...(message.unsureUntil === undefined ? {} : { unsureUntil: message.unsureUntil }),
      replaced: [...message.replaced, ...(own === null ? [] : [own]), ...newer.message.replaced],
    },
  };
}

function markerOf(finding: Finding, id: string): string {
  return noteMarker(finding.key, finding.state, finding.runId ?? id);
}

/** What a note is known by among others; the same parts make the same one. */
export function noteMarker(...parts: readonly string[]): string {
  return `cd-note-${createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)}`;
}

/** What JSON can't hold (a request, a socket, a circle) stays behind; the rest of the message survives a restart. */
function onlyJson(message: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).flatMap(([name, value]) => {
      try {
        const text = JSON.stringify(value);
        return text === undefined ? [] : [[name, JSON.parse(text) as unknown]];
      } catch {
        return [];
      }
    }),
  );
}
