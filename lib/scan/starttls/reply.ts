import type { Peer, Step } from './peer';
import { quoted } from './peer';
import { StarttlsError, type StarttlsReason } from './starttls';

/** A reply that begins with a code of three digits, as SMTP, FTP and NNTP have it. */
export interface Reply {
  code: number;
  /** Without the codes. */
  lines: string[];
}

/**
 * The next reply. One of several lines ends with the line where a blank follows the code. In FTP the lines between may
 * be anything (RFC 959 section 4.2); in SMTP each has the code again (RFC 5321 section 4.2.1).
 */
export function* readReply(peer: Peer, { isFree = false }: { isFree?: boolean } = {}): Step<Reply> {
  const first = yield* peer.line();
  const match = /^([1-5]\d\d)(?:([ -])(.*))?$/.exec(first);
  if (match === null) throw peer.unexpected(first);
  const [, code = '', mark = ' ', text = ''] = match;
  const lines = [text];
  for (let isLast = mark === ' '; !isLast;) {
    const line = yield* peer.line();
    isLast = line === code || line.startsWith(`${code} `);
    if (!isLast && !isFree && !line.startsWith(`${code}-`)) throw peer.unexpected(line);
    lines.push(isLast || !isFree ? line.slice(4) : line);
  }
  return { code: Number(code), lines };
}

/** The first reply, which has to have one of `codes`; any other means that nobody is served here. */
export function* readGreeting(peer: Peer, codes: readonly number[], options: { isFree?: boolean } = {}): Step<void> {
  const greeting = yield* readReply(peer, options);
  if (!codes.includes(greeting.code)) throw declined('the connection', greeting);
}

/** `what` was asked for, and `reply` says no to it. */
export function declined(what: string, reply: Reply, reason: StarttlsReason = 'STARTTLS_REFUSED'): StarttlsError {
  return new StarttlsError(reason, `it answered ${what} with ${quoted(`${reply.code} ${reply.lines.at(-1) ?? ''}`)}`);
}
