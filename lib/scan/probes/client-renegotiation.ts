import { Conversations } from '../conversations';
import type { Opened } from '../dialogue';
import { completeHandshake, HandshakeError, type Finished } from '../handshake';
import { newestBySuite } from '../observation';
import { alertIn, reactionOf, SILENCE, waitFor, type Reaction } from '../reaction';
import { speakableOffers } from '../suites/speakable';
import { CLASSIC } from '../versions';
import { uint16s } from '../wire/bytes';
import { clientHello, EXTENSION } from '../wire/client-hello';
import { MESSAGE, MessageReader } from '../wire/messages';
import { RECORD } from '../wire/records';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

/**
 * CVE-2011-1473 and its like: the server lets the client begin a new handshake inside the connection, which costs the
 * server much more than the client each time.
 */
export const clientRenegotiation: AskingProbe = {
  id: 'client-renegotiation',
  ask: async dialogue => {
    const { seen, serverName, line } = dialogue;
    if (newestBySuite(seen) === undefined) {
      return openQuestion(seen, CLASSIC) ?? notApplicable('It speaks no version that has renegotiation.');
    }
    const offers = speakableOffers(seen);
    if (offers.length === 0) return cannotTell('It speaks SSLv3 alone, in which no handshake is completed here.');
    const outcome = await new Conversations(dialogue, offers).hold(opened =>
      renegotiate(opened, serverName, line.timeoutMs),
    );
    if (outcome.kind === 'used') return outcome.value;
    return cannotTell(`No handshake came to its end, so that none could be begun again: ${outcome.reason}.`);
  },
};

const SERVER_HELLO: Reaction = 'ServerHello';
const CLOSE_NOTIFY = Buffer.from([1, 0]);

/** Begins a second handshake inside the first (RFC 5746 section 3.5), which is never gone on with. */
async function renegotiate(opened: Opened, serverName: string | null, timeoutMs: number): Promise<Judgement> {
  const { protocol, suite, flight } = opened;
  const finished = await completeHandshake(opened);
  const isSecure = flight.extensions.has(EXTENSION.renegotiationInfo);
  const hello = clientHello({
    protocol,
    suites: uint16s([suite.code]),
    serverName,
    ...(isSecure ? { renegotiationInfo: finished.clientVerifyData } : {}),
  });
  finished.session.send(RECORD.handshake, hello.message);
  const waitMs = waitFor(finished.roundTripMs, timeoutMs, { isPatient: true });
  const answer = await answerTo(finished, waitMs);
  if (answer === SERVER_HELLO)
    return vulnerable(`Lets the client begin a new handshake inside the connection, in ${protocol}.`);
  if (answer !== SILENCE) return ok(`Refuses a handshake that the client begins anew in ${protocol}: ${answer}.`);
  finished.session.send(RECORD.alert, CLOSE_NOTIFY);
  const farewell = await reactionOf(finished.session, waitMs);
  if (farewell === SILENCE)
    return cannotTell(`Says nothing to a handshake begun anew in ${protocol}, nor to anything after.`);
  return ok(`Takes no notice of a handshake that the client begins anew in ${protocol}.`);
}

/** `ServerHello`, or see `reactionOf`. */
async function answerTo({ session }: Finished, waitMs: number): Promise<Reaction> {
  const messages = new MessageReader();
  const answer = await session.find<Reaction>(record => {
    if (record.type !== RECORD.handshake) return alertIn(record);
    const isHello = [...messages.read(record.content)].some(message => message[0] === MESSAGE.serverHello);
    return isHello ? SERVER_HELLO : null;
  }, waitMs);
  if (answer === 'stopped') throw new HandshakeError('the scan was stopped');
  return answer === 'timeout' ? SILENCE : answer;
}
