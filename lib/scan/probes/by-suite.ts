import type { CheckId } from '../../model/checks';
import { PROTOCOLS, type Protocol } from '../../model/report';
import type { Observation } from '../observation';
import type { Suite } from '../suites/suites';
import { cannotTell, ok, openQuestion, some, vulnerable, type Judgement, type Probe } from './probe';

/** What kind of suite a check looks for. */
export interface SuiteQuestion {
  /** The weakness by which the table of suites marks them. */
  weakness: CheckId;
  /** Versions in which it counts; default: all. */
  protocols?: readonly Protocol[];
  /** For the sentences: `suites with RC4`. */
  what: string;
  /** Ends the sentence where there are some. */
  why: string;
}

/** A check that one kind of suite decides. */
export function suiteProbe(id: CheckId, question: Omit<SuiteQuestion, 'weakness'>): Probe {
  return { id, judge: seen => judgeSuites(seen, { weakness: id, ...question }) };
}

/** Vulnerable as soon as one such suite is accepted; ok only when every version that counts was asked to the end. */
export function judgeSuites(seen: Observation, question: SuiteQuestion): Judgement {
  const { what, why, weakness, protocols = PROTOCOLS } = question;
  const found = acceptedWith(seen, weakness, protocols);
  if (found.length > 0) {
    return vulnerable(
      `Accepts ${what}: ${some(found.map(({ protocol, suite }) => `${suite.name} in ${protocol}`))}; ${why}.`,
    );
  }
  const undecided = seen.undecided.find(
    ({ protocol, suites }) => protocols.includes(protocol) && suites.some(suite => suite.weaknesses.includes(weakness)),
  );
  if (undecided !== undefined) {
    return cannotTell(`Whether it accepts ${what} in ${undecided.protocol} could not be decided: ${undecided.reason}.`);
  }
  return openQuestion(seen, protocols) ?? ok(`Accepts no ${what}.`);
}

/** The accepted suites with a weakness, by version. */
export function acceptedWith(
  seen: Observation,
  weakness: CheckId,
  protocols: readonly Protocol[] = PROTOCOLS,
): { protocol: Protocol; suite: Suite }[] {
  return protocols.flatMap(protocol =>
    [...seen.accepted[protocol]]
      .filter(suite => suite.weaknesses.includes(weakness))
      .map(suite => ({ protocol, suite })),
  );
}
