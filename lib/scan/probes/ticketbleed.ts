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
const FULL_SESSION_ID_LENGTH = 32;

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
    const offers = speakableOffers(seen).filter(({ protocol }) => protocol !== 'SSLv3');
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

async function resume(dialogue: Dialogue, session: Resumable): Promise<Judgement> {
  const short = await takeUp(dialogue, session, SESSION_ID_LENGTH);
  if (typeof short === 'string') return cannotTell(`Its answer to a session taken up again is unknown: ${short}.`);
  const judgement = judge(session, short);
  if (judgement !== null) return judgement;
  // nothing was tried unless it takes sessions up at all: one of several servers behind an address may not know the ticket
  const full = await takeUp(dialogue, session, FULL_SESSION_ID_LENGTH);
  if (typeof full === 'string' || !full.isResumed) {
    const why = typeof full === 'string' ? full : 'it began a new one each time';
    return cannotTell(`It gave a ticket in ${session.protocol}, and did not take the session up again: ${why}.`);
  }
  const again = await takeUp(dialogue, session, SESSION_ID_LENGTH);
  if (typeof again === 'string') return cannotTell(`Its answer to a session taken up again is unknown: ${again}.`);
  return (
    judge(session, again) ??
    ok(`Takes no session up again under a short id, only under a full one, in ${session.protocol}.`)
  );
}

/** What a server answered to a ticket with an id. */
interface Answer {
  sent: Buffer;
  echo: Buffer;
  isResumed: boolean;
}

/** Why there is no answer, else. */
async function takeUp(
  dialogue: Dialogue,
  { protocol, suite, ticket }: Resumable,
  idLength: number,
): Promise<Answer | string> {
  const sessionId = random(idLength);
  const extras = { sessionTicket: ticket, sessionId };
  const conversations = new Conversations(dialogue, [{ protocol, suites: [suite] }], extras);
  const outcome = await conversations.hold(({ flight }) => Promise.resolve(flight));
  if (outcome.kind !== 'used') return outcome.reason;
  return { sent: sessionId, echo: outcome.value.sessionId, isResumed: outcome.value.isResumed };
}

/** Null where the session was not taken up, so that nothing was tried. */
function judge({ protocol }: Resumable, { sent, echo, isResumed }: Answer): Judgement | null {
  const foreign = echo.length - sent.length;
  if (foreign > 0 && echo.subarray(0, sent.length).equals(sent)) {
    return vulnerable(
      `Answers a session id of ${sent.length} bytes with ${foreign} more, out of its memory, in ${protocol}.`,
    );
  }
  if (!isResumed) return null;
  return echo.equals(sent)
    ? ok(`Takes a session up again under the id that was sent, in ${protocol}.`)
    : ok(`Takes a session up again under another id, in ${protocol}.`);
}
