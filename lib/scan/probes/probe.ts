import type { CheckId } from '../../model/checks';
import type { Protocol, Verdict } from '../../model/report';
import type { Dialogue } from '../dialogue';
import type { Observation } from '../observation';

/** A verdict with one sentence of evidence. */
export interface Judgement {
  verdict: Verdict;
  detail: string;
  /** See `Check`. */
  fingerprint256?: string;
}

/** One check that is judged from what the base of the scan saw. One file each, listed in registry.ts. */
export interface Probe {
  id: CheckId;
  judge(seen: Observation): Judgement;
}

/** One check that has to ask on connections of its own, after the base of the scan. It never rejects. */
export interface AskingProbe {
  id: CheckId;
  ask(dialogue: Dialogue): Promise<Judgement>;
}

export const vulnerable = (detail: string): Judgement => ({ verdict: 'vulnerable', detail });
export const ok = (detail: string): Judgement => ({ verdict: 'ok', detail });
export const cannotTell = (detail: string): Judgement => ({ verdict: 'cannot-tell', detail });
export const notApplicable = (detail: string): Judgement => ({ verdict: 'not-applicable', detail });

/** Starts a sentence. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Up to three, and how many more. */
export function some(items: readonly string[]): string {
  const rest = items.length - 3;
  return items.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** Why nothing can be said while the states of `protocols` are open; null when all of them are known. */
export function openQuestion(seen: Observation, protocols: readonly Protocol[]): Judgement | null {
  const open = protocols.find(protocol => seen.protocols[protocol].state === 'cannot-tell');
  return open === undefined ? null : cannotTell(`${open} could not be decided: ${seen.protocols[open].reason}.`);
}
