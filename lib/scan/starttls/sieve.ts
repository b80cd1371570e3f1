import { Peer, quoted, type Step } from './peer';
import { StarttlsError, type Talk } from './starttls';

interface Response {
  isOk: boolean;
  /** The line that ends it. */
  status: string;
  /** Lines before it. */
  data: string[];
}

/** ManageSieve: the greeting lists what the server can (RFC 5804 section 1.7), then STARTTLS (section 2.2). */
export function* sieve(): Talk {
  const peer = new Peer('ManageSieve');
  const greeting = yield* readResponse(peer);
  if (!greeting.isOk) throw declined('the connection', greeting);
  if (!greeting.data.some(line => /^"STARTTLS"\s*$/i.test(line))) {
    throw new StarttlsError('STARTTLS_NOT_OFFERED', 'its capabilities do not list STARTTLS');
  }
  yield* peer.say('STARTTLS');
  const response = yield* readResponse(peer);
  if (!response.isOk) throw declined('STARTTLS', response);
  return peer.finish();
}

/** Lines of data, each of which begins with a string, then OK, NO or BYE. */
function* readResponse(peer: Peer): Step<Response> {
  const data: string[] = [];
  for (;;) {
    const line = yield* readLine(peer);
    const [, kind] = /^(OK|NO|BYE)(?:[ (]|$)/i.exec(line) ?? [];
    if (kind !== undefined) return { isOk: kind.toUpperCase() === 'OK', status: line, data };
    if (!line.startsWith('"')) throw peer.unexpected(line);
    data.push(line);
  }
}

/** A line with its literals (`{5}`, the five octets after the line's end, and then it goes on) as quoted strings. */
function* readLine(peer: Peer): Step<string> {
  let line = yield* peer.line();
  for (;;) {
    const match = /^(.*)\{(\d{1,9})\+?\}$/.exec(line);
    if (match === null) return line;
    const [, before = '', length = ''] = match;
    const literal = yield* peer.take(Number(length));
    line = `${before}"${literal.toString('latin1')}"${yield* peer.line()}`;
  }
}

function declined(what: string, { status }: Response): StarttlsError {
  return new StarttlsError('STARTTLS_REFUSED', `it answered ${what} with ${quoted(status)}`);
}
