import type { Finding, Reason } from '../model/finding';
import { isOver, type TicketStatus } from '../model/ticket';
import type { TicketSettings } from './settings';

/**
 * What is to be done about a ticket, in this order. `leave` and `nothing` change nothing;
 * `warn` tells the user of a status that nobody here knows.
 */
export type Step =
  | 'nothing'
  | 'leave'
  | 'warn'
  | 'create'
  | 'follow-up'
  | 'reopen'
  | 'add-results'
  | 'note-places'
  | 'note-cleared'
  | 'resolve';

/** All that the decision depends on. */
export interface Situation {
  kind: Finding['kind'];
  state: Finding['state'];
  /** The policy's word; without a policy a Finding is due. */
  reason: Reason;
  /** `none`: never made or not to be found; `gone`: we had one, and it was deleted or merged away. */
  ticket: TicketStatus | 'none' | 'gone';
  /** The certificate is served at a place that the ticket does not name yet. */
  hasNewPlaces: boolean;
  /** The results differ from those told last. */
  hasNewResults: boolean;
  /** `onCleared` was carried out, and the key was not active since. */
  wasClearedTold: boolean;
}

/** The decision table of docs/design.md. Snoozed and acknowledged Findings never come here: the policy keeps them. */
export function decide(situation: Situation, settings: Pick<TicketSettings, 'onCleared' | 'addResults'>): Step[] {
  const { ticket, state } = situation;
  const hasTicket = ticket !== 'none' && ticket !== 'gone';
  if (state === 'unknown') return [hasTicket ? 'leave' : 'nothing'];
  if (state === 'cleared') return hasTicket ? cleared(situation, settings) : ['nothing'];
  if (situation.reason === 'standing') return standing(ticket);
  return due(situation, settings);
}

function due(situation: Situation, settings: Pick<TicketSettings, 'addResults'>): Step[] {
  const { ticket, kind } = situation;
  if (ticket === 'none') return ['create'];
  if (ticket === 'gone') return ['follow-up'];
  if (ticket === 'Unknown') return ['leave', 'warn'];
  if (kind === 'expiry') {
    const told: Step[] = situation.hasNewPlaces ? ['note-places'] : [];
    if (isOver(ticket)) return ['reopen', ...told];
    return told.length > 0 ? told : ['leave'];
  }
  // A reopened ticket always says why: its results may be the same as before it was closed.
  if (isOver(ticket)) return ['reopen', 'add-results'];
  return [settings.addResults === 'always' || situation.hasNewResults ? 'add-results' : 'leave'];
}

/** Frequency governs creating and adding, never reopening. */
function standing(ticket: Situation['ticket']): Step[] {
  if (ticket === 'none' || ticket === 'gone') return ['nothing'];
  return [isOver(ticket) ? 'reopen' : 'leave'];
}

function cleared(situation: Situation, settings: Pick<TicketSettings, 'onCleared'>): Step[] {
  const { ticket, wasClearedTold } = situation;
  if (ticket === 'none' || ticket === 'gone' || isOver(ticket)) return ['nothing'];
  if (ticket === 'Unknown' || wasClearedTold || settings.onCleared === 'leave') return ['leave'];
  return settings.onCleared === 'comment' ? ['note-cleared'] : ['note-cleared', 'resolve'];
}
