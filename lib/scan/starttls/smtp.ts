import { Peer } from './peer';
import { declined, readGreeting, readReply } from './reply';
import { StarttlsError, type Talk } from './starttls';

/** EHLO is not understood, or there is no such command: a server without extensions has no STARTTLS either. */
const UNKNOWN_COMMAND: ReadonlySet<number> = new Set([500, 502, 504]);

/**
 * SMTP: the greeting, EHLO, STARTTLS where the reply lists it (RFC 5321 sections 3.1 and 4.1.1.1, RFC 3207 section 4).
 * The name in EHLO is one that nobody has (RFC 6761 section 6.4).
 */
export function* smtp(): Talk {
  const peer = new Peer('SMTP');
  yield* readGreeting(peer, [220]);
  yield* peer.say('EHLO certdesk.invalid');
  const extensions = yield* readReply(peer);
  if (extensions.code !== 250) {
    const isOld = UNKNOWN_COMMAND.has(extensions.code);
    throw declined('EHLO', extensions, isOld ? 'STARTTLS_NOT_OFFERED' : 'STARTTLS_REFUSED');
  }
  // the first line is the server's name
  if (!extensions.lines.slice(1).some(line => /^STARTTLS\s*$/i.test(line))) {
    throw new StarttlsError('STARTTLS_NOT_OFFERED', 'its reply to EHLO does not list STARTTLS');
  }
  yield* peer.say('STARTTLS');
  const reply = yield* readReply(peer);
  if (reply.code !== 220) throw declined('STARTTLS', reply);
  return peer.finish();
}
