import { Peer, quoted, type Step } from './peer';
import { StarttlsError, type StarttlsReason, type Talk } from './starttls';

/**
 * POP3: the greeting, then STLS (RFC 1939 section 4, RFC 2595 section 4). It is asked for straight away; only where the
 * answer is -ERR, which has no code, CAPA tells whether the server has STLS at all (RFC 2449 section 5).
 */
export function* pop3(): Talk {
  const peer = new Peer('POP3');
  const greeting = yield* readStatus(peer);
  if (!isOk(greeting)) throw declined('the connection', greeting);
  yield* peer.say('STLS');
  const reply = yield* readStatus(peer);
  if (!isOk(reply)) {
    const isListed = yield* hasStls(peer);
    throw declined('STLS', reply, isListed === false ? 'STARTTLS_NOT_OFFERED' : 'STARTTLS_REFUSED');
  }
  return peer.finish();
}

/** Null: it does not know CAPA. */
function* hasStls(peer: Peer): Step<boolean | null> {
  yield* peer.say('CAPA');
  if (!isOk(yield* readStatus(peer))) return null;
  let isListed = false;
  for (let line = ''; line !== '.'; line = yield* peer.line()) isListed ||= /^STLS\s*$/i.test(line);
  return isListed;
}

function* readStatus(peer: Peer): Step<string> {
  const line = yield* peer.line();
  if (!/^(?:\+OK|-ERR)(?: |$)/i.test(line)) throw peer.unexpected(line);
  return line;
}

function isOk(status: string): boolean {
  return status.startsWith('+');
}

function declined(what: string, line: string, reason: StarttlsReason = 'STARTTLS_REFUSED'): StarttlsError {
  return new StarttlsError(reason, `it answered ${what} with ${quoted(line)}`);
}
