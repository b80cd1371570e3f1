import { Peer, quoted, type Step } from './peer';
import { StarttlsError, type Talk } from './starttls';

interface Answer {
  isOk: boolean;
  /** The line with the tag. */
  line: string;
  untagged: string[];
}

/**
 * IMAP: the greeting, CAPABILITY unless the greeting lists STARTTLS already, then STARTTLS (RFC 9051 sections 6.1.1,
 * 6.2.1 and 7.1, RFC 2595 section 3). A server that greets with PREAUTH takes no STARTTLS.
 */
export function* imap(): Talk {
  const peer = new Peer('IMAP');
  const greeting = yield* peer.line();
  const [, kind = ''] = /^\* (OK|PREAUTH|BYE)(?: |$)/i.exec(greeting) ?? [];
  if (kind === '') throw peer.unexpected(greeting);
  if (/bye/i.test(kind)) throw declined('the connection', greeting);
  if (/preauth/i.test(kind)) {
    throw new StarttlsError('STARTTLS_NOT_OFFERED', 'it greets with PREAUTH, and STARTTLS is for before a login');
  }
  if (!hasStarttls(greeting)) {
    const capability = yield* command(peer, 'a1', 'CAPABILITY');
    if (!capability.isOk) throw declined('CAPABILITY', capability.line);
    if (![...capability.untagged, capability.line].some(hasStarttls)) {
      throw new StarttlsError('STARTTLS_NOT_OFFERED', 'its capabilities do not list STARTTLS');
    }
  }
  const starttls = yield* command(peer, 'a2', 'STARTTLS');
  if (!starttls.isOk) throw declined('STARTTLS', starttls.line);
  return peer.finish();
}

/** Untagged data may come at any time, also before the command (RFC 9051 section 2.2.2). */
function* command(peer: Peer, tag: string, name: string): Step<Answer> {
  const untagged: string[] = [];
  const take = (line: string): void => {
    if (/^\* BYE(?: |$)/i.test(line)) throw declined(name, line);
    if (!line.startsWith('* ')) throw peer.unexpected(line);
    untagged.push(line);
  };
  while (peer.hasUnread) take(yield* peer.line());
  yield* peer.say(`${tag} ${name}`);
  for (;;) {
    const line = yield* peer.line();
    const [, status] = /^(\S+) (?:OK|NO|BAD)(?: |$)/i.exec(line) ?? [];
    if (status === tag) return { isOk: /^\S+ OK/i.test(line), line, untagged };
    take(line);
  }
}

/** Either `* CAPABILITY …` or the response code `[CAPABILITY …]`. */
function hasStarttls(line: string): boolean {
  const [, list = ''] = /^(?:\* |.*\[)CAPABILITY ([^\]]*)/i.exec(line) ?? [];
  return list.toUpperCase().split(' ').includes('STARTTLS');
}

function declined(what: string, line: string): StarttlsError {
  return new StarttlsError('STARTTLS_REFUSED', `it answered ${what} with ${quoted(line)}`);
}
