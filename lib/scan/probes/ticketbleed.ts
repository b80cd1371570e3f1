import { Conversations } from '../conversations';
import type { Dialogue } from '../dialogue';
import { completeHandshake } from '../handshake';
import { SPEAKABLE_PROTOCOLS, speakableOffers } from '../suites/speakable';
import type { Suite } from '../suites/suites';
import { random } from '../wire/bytes';
import type { TlsProtocol } from '../wire/names';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const NO_TICKET = Buffer.alloc(0);
/** Shorter than the 32 bytes that an open server takes every session id for. */
const SESSION_ID_LENGTH = 16;

interface Resumable {
  protocol: TlsProtocol;
  suite: Suite;
  ticket: Buffer;
}

/**
 * CVE-2016-9244 (F5 BIG-IP; filippo.io/ticketbleed): who takes up a session by its ticket and names it by a short id is
 * answered with 32 bytes, of which those after the id are the server's memory. TLS 1.3 has no such answer.
 */
export const ticketbleed: AskingProbe = {
  id: 'ticketbleed',
  ask: async dialogue => {
    const { seen } = dialogue;
    const offers = speakableOffers(seen);
    if (offers.length === 0) {
      return openQuestion(seen, SPEAKABLE_PROTOCOLS) ?? notApplicable('It speaks no version that has such tickets.');
    }
    const conversations = new Conversations(dialogue, offers, { sessionTicket: NO_TICKET });
    const outcome = await conversations.hold(async (opened): Promise<Resumable> => {
      const { protocol, suite } = opened;
      const { ticket } = await completeHandshake(opened);
      return { protocol, suite, ticket: ticket ?? NO_TICKET };
    });
    if (outcome.kind !== 'used') return cannotTell(`No handshake came to its end: ${outcome.reason}.`);
    if (outcome.value.ticket.length === 0) return notApplicable('It gives no session tickets.');
    return resume(dialogue, outcome.value);
  },
};

async function resume(dialogue: Dialogue, { protocol, suite, ticket }: Resumable): Promise<Judgement> {
  const sessionId = random(SESSION_ID_LENGTH);
  const extras = { sessionTicket: ticket, sessionId };
  const conversations = new Conversations(dialogue, [{ protocol, suites: [suite] }], extras);
  const outcome = await conversations.hold(({ flight }) => Promise.resolve(flight));
  if (outcome.kind !== 'used')
    return cannotTell(`Its answer to a session taken up again is unknown: ${outcome.reason}.`);
  const { sessionId: echo, isResumed } = outcome.value;
  if (echo.equals(sessionId)) return ok(`Takes a session up again under the id that was sent, in ${protocol}.`);
  if (echo.subarray(0, SESSION_ID_LENGTH).equals(sessionId)) {
    const foreign = echo.length - SESSION_ID_LENGTH;
    return vulnerable(
      `Answers a session id of ${SESSION_ID_LENGTH} bytes with ${foreign} more, out of its memory, in ${protocol}.`,
    );
  }
  return isResumed
    ? ok(`Takes a session up again under another id, in ${protocol}.`)
    : ok(`Begins a new session instead of taking one up, in ${protocol}.`);
}
