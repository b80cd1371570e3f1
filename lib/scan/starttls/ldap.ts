import { readElement, readElements, type Element } from './ber';
import { Peer } from './peer';
import { StarttlsError, type Talk } from './starttls';

const OID = Buffer.from('1.3.6.1.4.1.1466.20037');
/** LDAPMessage with ID 1 and an ExtendedRequest, [APPLICATION 23], of which the requestName is [0]. */
const REQUEST = Buffer.concat([Buffer.from([0x30, 0x1d, 0x02, 0x01, 1, 0x77, 0x18, 0x80, 0x16]), OID]);

const TAG = { sequence: 0x30, integer: 0x02, enumerated: 0x0a, extendedResponse: 0x78 } as const;
const PROTOCOL_ERROR = 2;
/** Those that servers give to StartTLS (RFC 4511 section 4.1.9 and appendix A). */
const RESULTS: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  8: 'strongerAuthRequired',
  10: 'referral',
  13: 'confidentialityRequired',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  80: 'other',
};

/**
 * LDAP: the StartTLS request and its result (RFC 4511 sections 4.12 and 4.14). A server that does not support it says
 * protocolError; a notice of disconnection (section 4.4.1) has the message ID 0.
 */
export function* ldap(): Talk {
  const peer = new Peer('LDAP');
  yield* peer.say(REQUEST);
  const [first] = yield* peer.peek(1);
  if (first !== TAG.sequence) throw peer.foreign();
  const [id, response] = readElements(peer, (yield* readElement(peer)).content);
  const [code] = response?.tag === TAG.extendedResponse ? readElements(peer, response.content) : [];
  const messageId = numberOf(id, TAG.integer);
  const result = numberOf(code, TAG.enumerated);
  if (result === null || (messageId !== 1 && messageId !== 0)) throw peer.malformed('an answer to something else');
  const told = `result ${result}${RESULTS[result] === undefined ? '' : ` (${RESULTS[result]})`}`;
  if (messageId === 0) throw new StarttlsError('STARTTLS_REFUSED', `it ended the connection with ${told}`);
  if (result !== 0) {
    const reason = result === PROTOCOL_ERROR ? 'STARTTLS_NOT_OFFERED' : 'STARTTLS_REFUSED';
    throw new StarttlsError(reason, `it answered StartTLS with ${told}`);
  }
  return peer.finish();
}

/** Of one to four bytes, not negative; null for anything else. */
function numberOf(element: Element | undefined, tag: number): number | null {
  if (element?.tag !== tag) return null;
  const { content } = element;
  return content.length >= 1 && content.length <= 4 && (content[0] ?? 0) < 0x80
    ? content.readUIntBE(0, content.length)
    : null;
}
