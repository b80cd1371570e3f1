import { Conversations } from '../conversations';
import type { Opened } from '../dialogue';
import { completeHandshake, HandshakeError, type Finished } from '../handshake';
import { newestBySuite } from '../observation';
import { alertIn, isBareEnd, reactionOf, SILENCE, waitFor, type Reaction } from '../reaction';
import { SPEAKABLE_PROTOCOLS, speakableOffers } from '../suites/speakable';
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
    const isInTls = offers.some(({ protocol }) => protocol !== 'SSLv3');
    const open = isInTls ? null : openQuestion(seen, SPEAKABLE_PROTOCOLS);
    if (open !== null) return open;
    const conversations = new Conversations(dialogue, offers);
    const outcome = await conversations.hold(opened => renegotiate(opened, serverName, line.timeoutMs));
    if (outcome.kind !== 'used') {
      const tried = isInTls ? '' : ' (SSLv3 alone was tried)';
      return cannotTell(`No handshake came to its end${tried}, so that none could be begun again: ${outcome.reason}.`);
    }
    if (typeof outcome.value !== 'string') return outcome.value;
    const control = await conversations.hold(opened => leaveAlone(opened, line.timeoutMs));
    const usual = control.kind === 'used' ? control.value : control.reason;
    return usual === SILENCE
      ? ok(`Ends a connection in which the client begins a new handshake, and leaves others open: ${outcome.value}.`)
      : cannotTell(
          `Ends a connection in which the client begins a new handshake (${outcome.value}), and others too: ${usual}.`,
        );
  },
};

const SERVER_HELLO: Reaction = 'ServerHello';
const CLOSE_NOTIFY = Buffer.from([1, 0]);

/** Begins a second handshake inside the first (RFC 5746 section 3.5), which is never gone on with; or how that ended. */
async function renegotiate(
  opened: Opened,
  serverName: string | null,
  timeoutMs: number,
): Promise<Judgement | Reaction> {
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
  if (isBareEnd(answer)) return answer;
  if (answer !== SILENCE) return ok(`Refuses a handshake that the client begins anew in ${protocol}: ${answer}.`);
  finished.session.send(RECORD.alert, CLOSE_NOTIFY);
  const farewell = await reactionOf(finished.session, waitMs);
  if (farewell === SILENCE)
    return cannotTell(`Says nothing to a handshake begun anew in ${protocol}, nor to anything after.`);
  return ok(`Takes no notice of a handshake that the client begins anew in ${protocol}.`);
}

/** What a server does after a handshake when nothing is sent. */
async function leaveAlone(opened: Opened, timeoutMs: number): Promise<Reaction> {
  const { session, roundTripMs } = await completeHandshake(opened);
  return reactionOf(session, waitFor(roundTripMs, timeoutMs, { isPatient: false }));
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
