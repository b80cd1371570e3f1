import type { Protocol } from '../model/report';
import type { NoAnswer } from './connection';
import type { Observation } from './observation';
import type { Suite } from './suites/suites';
import { alertName } from './wire/names';

/** What a hello brought, put in terms of what was offered. */
export type Reply =
  /** The server chose `suite` in `protocol`, which may be lower than the one offered; SSLv2 lists its kinds instead. */
  | { kind: 'hit'; protocol: Protocol; suite: Suite | null }
  /** It takes none of what was offered. `alert` is its number, null where it closed or took an older version. */
  | { kind: 'refused'; reason: string; alert: number | null }
  /** Nobody can tell; `word` goes into stages. */
  | Unknown;

export interface Unknown {
  kind: 'unknown';
  reason: string;
  word: string;
  /** `odd`: something came that is neither hello nor clear refusal. */
  how: 'odd' | 'closed' | 'silent' | 'not-connected' | 'no-starttls' | 'stopped';
}

const CLOSE_NOTIFY = 0;
const UNRECOGNIZED_NAME = 112;
/** Alerts that say: none of this. All others are looked at twice. */
const REFUSALS: ReadonlySet<number> = new Set([40, 47, 70, 71]);
/** The one of them that refuses the version; all others may refuse the suites alone. */
export const PROTOCOL_VERSION = 70;

function unknown(how: Unknown['how'], word: string, reason: string): Unknown {
  return { kind: 'unknown', how, word, reason };
}

export function malformed(reason: string): Unknown {
  return unknown('odd', 'MALFORMED', reason);
}

/** An alert, as a reply; one that asks for a name says so where no name was sent. */
export function alertReply(description: number, serverName: string | null): Reply {
  const name = alertName(description);
  if (description === UNRECOGNIZED_NAME && serverName === null) {
    return unknown('odd', 'NEEDS_SNI', `alert ${name}, and there is no name to send (SNI)`);
  }
  if (description === CLOSE_NOTIFY) return unknown('closed', 'CLOSED', 'it closed without another alert');
  if (REFUSALS.has(description)) return { kind: 'refused', reason: `alert ${name}`, alert: description };
  return unknown('odd', name.toUpperCase(), `alert ${name}`);
}

/** No answer, as a reply. */
export function noAnswerReply(noAnswer: NoAnswer): Unknown {
  switch (noAnswer.kind) {
    case 'unreachable':
      return unknown('not-connected', noAnswer.reason, `connecting failed (${noAnswer.reason})`);
    case 'timeout':
      return unknown('silent', 'TIMEOUT', 'it did not answer in time');
    case 'closed':
      // one word for both: which of them it is hangs on what the server had read when it closed
      return noAnswer.isReset
        ? unknown('odd', 'CLOSED', 'it reset the connection')
        : unknown('closed', 'CLOSED', 'it closed without an alert');
    case 'no-starttls':
      return unknown('no-starttls', noAnswer.reason, noAnswer.detail);
    case 'not-tls':
      return unknown('odd', 'NOT_TLS', noAnswer.detail);
    case 'malformed':
      return malformed(noAnswer.detail);
    case 'stopped':
      return unknown('stopped', 'STOPPED', 'the scan was stopped');
  }
}

/** What a reply says of the version that was asked for. */
export function conclude(seen: Observation, protocols: readonly Protocol[], reply: Reply): void {
  if (reply.kind === 'hit') return;
  for (const protocol of protocols) {
    if (seen.protocols[protocol].state === 'offered') continue;
    seen.protocols[protocol] = {
      state: reply.kind === 'refused' ? 'refused' : 'cannot-tell',
      reason: reply.reason,
    };
  }
}
