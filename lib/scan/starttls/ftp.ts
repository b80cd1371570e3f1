import { Peer } from './peer';
import { declined, readReply } from './reply';
import type { Talk } from './starttls';

/** Not understood, not implemented, not for this mechanism (RFC 2228 section 3). */
const NOT_THERE: ReadonlySet<number> = new Set([500, 502, 504]);

/** FTP: the greeting, which 120 may announce (RFC 959 section 5.4), then AUTH TLS (RFC 4217 section 4.1). */
export function* ftp(): Talk {
  const peer = new Peer('FTP');
  let greeting = yield* readReply(peer, { isFree: true });
  if (greeting.code === 120) greeting = yield* readReply(peer, { isFree: true });
  if (greeting.code !== 220) throw declined('the connection', greeting);
  yield* peer.say('AUTH TLS');
  const reply = yield* readReply(peer, { isFree: true });
  if (reply.code !== 234) {
    throw declined('AUTH TLS', reply, NOT_THERE.has(reply.code) ? 'STARTTLS_NOT_OFFERED' : 'STARTTLS_REFUSED');
  }
  return peer.finish();
}
