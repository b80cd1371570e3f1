import type { Dialogue } from './dialogue';
import { conclude, PROTOCOL_VERSION, type Reply } from './reply';
import { allSuites, COMMON_BEFORE_TLS12 } from './suites/lists';
import type { Suite } from './suites/suites';
import type { TlsProtocol } from './wire/names';

/** The versions that share one kind of hello, oldest first. */
export const CLASSIC: readonly TlsProtocol[] = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'];

/** The versions from `lowest` (left out) to `highest`. */
function classicAbove(lowest: TlsProtocol, highest: TlsProtocol): TlsProtocol[] {
  return CLASSIC.slice(CLASSIC.indexOf(lowest) + 1, CLASSIC.indexOf(highest) + 1);
}

/**
 * Finds which versions up to `highest` are offered. Servers pick the highest that both sides have, so that one hello
 * asks for all of them at once, and a healthy server needs no second one; each hit asks again below it.
 * `onFound` is called at once for every version offered.
 */
export async function findVersions(
  dialogue: Dialogue,
  highest: TlsProtocol,
  onFound: (protocol: TlsProtocol) => void,
): Promise<void> {
  for (let at = CLASSIC.indexOf(highest); at >= 0;) {
    const asked = CLASSIC[at] ?? 'SSLv3';
    const reply = await dialogue.ask(asked, allSuites(asked));
    const found = foundBy(reply);
    if (found === null) {
      const upTo = CLASSIC.slice(0, at + 1);
      if (reply.kind === 'refused' || (reply.kind === 'unknown' && reply.how === 'stopped')) {
        conclude(dialogue.seen, upTo, reply);
      } else {
        const open = await askEach(dialogue, upTo, COMMON_BEFORE_TLS12, onFound);
        await askEach(dialogue, open, null, onFound);
      }
      return;
    }
    concludeAbove(dialogue, found, asked);
    onFound(found);
    at = CLASSIC.indexOf(found) - 1;
  }
}

/**
 * Each version with a hello of its own, for servers that cannot stand the merged one; null offers every suite. Returned
 * are the versions that a server may have all the same: it refused what was offered in them, and not the version.
 */
export async function askEach(
  dialogue: Dialogue,
  protocols: readonly TlsProtocol[],
  suites: readonly Suite[] | null,
  onFound: (protocol: TlsProtocol) => void,
): Promise<TlsProtocol[]> {
  const replies = await Promise.all(
    protocols.map(async protocol => ({ protocol, reply: await dialogue.ask(protocol, suites ?? allSuites(protocol)) })),
  );
  for (const { protocol, reply } of replies) {
    const found = foundBy(reply);
    if (found === null) {
      conclude(dialogue.seen, [protocol], reply);
    } else {
      concludeAbove(dialogue, found, protocol);
      onFound(found);
    }
  }
  return replies
    .filter(({ reply }) => reply.kind === 'refused' && reply.alert !== PROTOCOL_VERSION)
    .map(({ protocol }) => protocol)
    .filter(protocol => dialogue.seen.protocols[protocol].state === 'refused');
}

/** The version of a hit. */
export function foundBy(reply: Reply): TlsProtocol | null {
  return reply.kind === 'hit' ? (CLASSIC.find(protocol => protocol === reply.protocol) ?? null) : null;
}

/** A server that answers with an older version than it was asked for has none in between. */
export function concludeAbove(dialogue: Dialogue, found: TlsProtocol, asked: TlsProtocol): void {
  conclude(dialogue.seen, classicAbove(found, asked), {
    kind: 'refused',
    reason: `it answered with ${found}`,
    alert: null,
  });
}
