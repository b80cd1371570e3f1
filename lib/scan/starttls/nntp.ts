import { Peer } from './peer';
import { declined, readGreeting, readReply } from './reply';
import type { Talk } from './starttls';

/** Unknown command, or a feature that is not supported (RFC 3977 section 3.2.1). */
const NOT_THERE: ReadonlySet<number> = new Set([500, 503]);

/**
 * NNTP: the greeting (RFC 3977 section 5.1), then STARTTLS, which is 382 when TLS may start and 580 when the server
 * can't (RFC 4642 section 2.2). It is asked for without CAPABILITIES before: the answer says as much.
 */
export function* nntp(): Talk {
  const peer = new Peer('NNTP');
  yield* readGreeting(peer, [200, 201]);
  yield* peer.say('STARTTLS');
  const reply = yield* readReply(peer);
  if (reply.code !== 382) {
    throw declined('STARTTLS', reply, NOT_THERE.has(reply.code) ? 'STARTTLS_NOT_OFFERED' : 'STARTTLS_REFUSED');
  }
  return peer.finish();
}
