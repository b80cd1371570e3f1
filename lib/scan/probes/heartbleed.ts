import { Conversations } from '../conversations';
import type { Dialogue, Opened } from '../dialogue';
import { completeHandshake, HandshakeError, RecordSource } from '../handshake';
import { BY_SUITE, newestBySuite, type Observation } from '../observation';
import { alertIn, reactionOf, SILENCE, type Reaction } from '../reaction';
import { speakableOffers } from '../suites/speakable';
import { ByteReader, uint } from '../wire/bytes';
import type { TlsProtocol } from '../wire/names';
import { tlsRecord } from '../wire/record-layer';
import { RECORD, RecordReader, type TlsRecord } from '../wire/records';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const REQUEST = 1;
const RESPONSE = 2;
/** RFC 6520 section 4: at least 16 bytes of padding. */
const PADDING = 16;
/** An answer shorter than 4,096 bytes would stay in OpenSSL's buffer while the handshake goes on. */
const HELD = 4600;
const WAIT_MS = 500;

/**
 * CVE-2014-0160: a heartbeat that claims more than it holds is answered with what lies behind it. The one sent here
 * claims its own padding and no byte more, so that nothing of the server's memory is ever asked for. A correct one
 * follows, to see whether heartbeats are answered at all.
 *
 * Asked in the middle of a handshake, as it costs least. A server that ends the connection there, or says nothing, may do
 * so whatever comes: then once more after a whole handshake, on a connection that it leaves open until then.
 */
export const heartbleed: AskingProbe = { id: 'heartbleed', ask };

/** What came back to a heartbeat: more than the false one held, or no more than the correct one did. */
const BLED: Reaction = 'more than was sent';
const BOUNDED: Reaction = 'what was sent';

async function ask(dialogue: Dialogue): Promise<Judgement> {
  const { seen } = dialogue;
  const protocol = BY_SUITE.find(one => seen.heartbeats.has(one));
  const suite = protocol === undefined ? undefined : seen.heartbeats.get(protocol);
  if (protocol === undefined || suite === undefined) return withoutExtension(seen);
  let early = 'it could not be asked';
  for (const patience of [1, 4]) {
    const outcome = await dialogue.converse(protocol, [suite], {}, opened => beatEarly(opened, patience));
    if (outcome.kind === 'hit') early = 'its flight did not come to an end';
    else if (outcome.kind !== 'used') early = outcome.reason;
    else early = outcome.value;
    const judgement = judgeEcho(early);
    if (judgement !== null) return judgement;
    if (outcome.kind === 'used' && early !== SILENCE) break;
  }
  return askAfterHandshake(dialogue, protocol, early);
}

function withoutExtension(seen: Observation): Judgement {
  const open = openQuestion(seen, BY_SUITE);
  if (open !== null) return open;
  if (newestBySuite(seen) === undefined) return notApplicable('It speaks no version in which it could be asked.');
  return ok('Its ServerHello takes no heartbeats (RFC 6520).');
}

async function askAfterHandshake(dialogue: Dialogue, protocol: TlsProtocol, early: Reaction): Promise<Judgement> {
  const offers = speakableOffers(dialogue.seen).filter(offer => offer.protocol === protocol);
  const outcome = await new Conversations(dialogue, offers).hold(beatLate);
  const takes = `It says that it takes heartbeats (RFC 6520), answered none inside a handshake (${early})`;
  if (outcome.kind !== 'used') return cannotTell(`${takes}, and no handshake came to its end: ${outcome.reason}.`);
  const late = outcome.value;
  if (late === null) return cannotTell(`${takes}, and ends connections after a handshake by itself.`);
  if (late === SILENCE) return cannotTell(`${takes}, nor after one.`);
  return judgeEcho(late) ?? ok(`It completes a handshake, and answers a false heartbeat after it by an end: ${late}.`);
}

function judgeEcho(answer: Reaction): Judgement | null {
  if (answer === BLED)
    return vulnerable('It answered a heartbeat with more bytes than the heartbeat held (CVE-2014-0160).');
  if (answer !== BOUNDED) return null;
  return ok('It dropped a heartbeat that claims more than it holds, and answered a correct one.');
}

function beatEarly({ connection, protocol, roundTripMs }: Opened, patience: number): Promise<Reaction> {
  const source = new RecordSource(connection, new RecordReader());
  source.sendAsIs(Buffer.concat(HEARTBEATS.map(content => tlsRecord(protocol, RECORD.heartbeat, content))));
  return answerOf(source, patience * (WAIT_MS + 4 * roundTripMs));
}

/** Null where the server ends the connection, or has something to say, before a heartbeat was sent. */
async function beatLate(opened: Opened): Promise<Reaction | null> {
  const { session, roundTripMs } = await completeHandshake(opened);
  const ms = WAIT_MS + 4 * roundTripMs;
  if ((await reactionOf(session, ms)) !== SILENCE) return null;
  for (const content of HEARTBEATS) session.send(RECORD.heartbeat, content);
  return answerOf(session, 4 * ms);
}

/** A false one and a correct one. */
const HEARTBEATS: readonly Buffer[] = [HELD + PADDING, HELD].map(claimed =>
  Buffer.concat([uint(REQUEST, 1), uint(claimed, 2), Buffer.alloc(HELD + PADDING, 'CertDesk ')]),
);

async function answerOf(source: RecordSource, ms: number): Promise<Reaction> {
  const answer = await source.find(record => echoIn(record) ?? alertIn(record), ms);
  if (answer === 'stopped') throw new HandshakeError('the scan was stopped');
  return answer === 'timeout' ? SILENCE : answer;
}

/** By the length of the payload that comes back; null for anything but an answer. */
function echoIn({ type, content }: TlsRecord): Reaction | null {
  if (type !== RECORD.heartbeat || content.length < 3) return null;
  const reader = new ByteReader(content);
  if (reader.number(1) !== RESPONSE) return null;
  return reader.number(2) === HELD + PADDING ? BLED : BOUNDED;
}
