import { uint } from '../wire/bytes';
import { Peer, type Step } from './peer';
import { StarttlsError, type Talk } from './starttls';

const SSL_REQUEST = Buffer.concat([uint(8, 4), uint(80_877_103, 4)]);
/** A longer one is the text that servers before 7.4 sent, which has no length. */
const MAX_ERROR_LENGTH = 8 * 1024;

/**
 * PostgreSQL: SSLRequest, answered with one byte: S, N, or E that begins an ErrorResponse (PostgreSQL's documentation,
 * "Frontend/Backend Protocol", sections "SSL Session Encryption" and "Message Formats").
 */
export function* postgres(): Talk {
  const peer = new Peer('PostgreSQL');
  yield* peer.say(SSL_REQUEST);
  const [answer] = (yield* peer.peek(1)).toString('latin1');
  if (answer === undefined || !'SNE'.includes(answer) || peer.isForeign) throw peer.foreign();
  yield* peer.take(1);
  if (answer === 'N') throw new StarttlsError('STARTTLS_NOT_OFFERED', 'it answered SSLRequest with N');
  if (answer === 'E')
    throw new StarttlsError('STARTTLS_REFUSED', `it answered SSLRequest with ${yield* readError(peer)}`);
  return peer.finish();
}

/** The SQLSTATE code is the field C; fields are a letter and a text that ends with a zero byte. */
function* readError(peer: Peer): Step<string> {
  const length = (yield* peer.take(4)).readUInt32BE();
  if (length < 4 || length > MAX_ERROR_LENGTH) return 'an error';
  const fields = (yield* peer.take(length - 4)).toString('latin1').split('\0');
  const code = fields.find(field => /^C[0-9A-Z]{5}$/.test(field));
  return code === undefined ? 'an error' : `error ${code.slice(1)}`;
}
