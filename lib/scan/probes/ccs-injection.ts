import type { Dialogue, Opened } from '../dialogue';
import { RecordSource } from '../handshake';
import { BY_SUITE, newestBySuite, type EarlyCcs } from '../observation';
import { alertIn, reactionOf, SILENCE } from '../reaction';
import { tlsRecord } from '../wire/record-layer';
import { RECORD, RecordReader } from '../wire/records';
import type { TlsProtocol } from '../wire/names';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

/** A server that refuses does so at once; this, or some round trips, is what it gets. */
const WAIT_MS = 300;
type Refused = Extract<EarlyCcs, { kind: 'refused' }>;
/** No alert, which leaves open why. */
const ENDED: Refused = { kind: 'refused', detail: 'it ended the connection' };

/**
 * CVE-2014-0224: OpenSSL before 1.0.1h takes a ChangeCipherSpec before there is a key, and uses an empty one. Asked on
 * the connection of the first certificate (`injectEarly`); where it was taken in silence, once more with more patience,
 * since only a second one shows whether the first was taken. Where the connection ended without an alert, once more on
 * one that the server leaves open until then.
 */
export const ccsInjection: AskingProbe = { id: 'ccs-injection', ask };

async function ask(dialogue: Dialogue): Promise<Judgement> {
  const { seen } = dialogue;
  await dialogue.line.idle(); // the early one may still be waiting for its answer
  const protocol = newestBySuite(seen);
  if (protocol === undefined) {
    return openQuestion(seen, BY_SUITE) ?? notApplicable('It speaks no version in which an early one could be taken.');
  }
  const first = seen.earlyCcs ?? (await injectOnce(dialogue, protocol, { patience: 1, isHeld: false }));
  if (isAlert(first)) return refused(first.detail);
  const isEnded = isEnd(first);
  const again = await injectOnce(dialogue, protocol, { patience: 4, isHeld: isEnded });
  if (isAlert(again)) return refused(again.detail);
  if (first === null && again === null)
    return cannotTell('No connection could be made to send it a ChangeCipherSpec before its time.');
  if (isEnded && isEnd(again)) return refused(`${ENDED.detail}, and leaves it open while nothing is sent`);
  if (isEnded || isEnd(again)) {
    return cannotTell(
      'It ended the connection after a ChangeCipherSpec before its time, but not each time or not only then.',
    );
  }
  if ((again ?? first)?.kind === 'taken') {
    return vulnerable(
      'It took a ChangeCipherSpec before there was a key (CVE-2014-0224), and refused only a second one.',
    );
  }
  return cannotTell('It gave no clear answer to a ChangeCipherSpec before its time, nor to a second.');
}

function refused(how: string): Judgement {
  return ok(`It refused a ChangeCipherSpec before its time: ${how}.`);
}

function isEnd(ccs: EarlyCcs | null): boolean {
  return ccs?.kind === 'refused' && ccs.detail === ENDED.detail;
}

function isAlert(ccs: EarlyCcs | null): ccs is Refused {
  return ccs?.kind === 'refused' && ccs.detail !== ENDED.detail;
}

interface Manner {
  /** How many times as long as at first an answer is waited for. */
  patience: number;
  /** Whether it is looked first if the server leaves the connection open. */
  isHeld: boolean;
}

/** Null where no connection could be made for it, or none that stays open. */
async function injectOnce(dialogue: Dialogue, protocol: TlsProtocol, manner: Manner): Promise<EarlyCcs | null> {
  const suites = [...dialogue.seen.accepted[protocol]];
  const outcome = await dialogue.converse(protocol, suites, {}, opened => inject(opened, manner));
  return outcome.kind === 'used' ? outcome.value : null;
}

/** What the connection of the first certificate shows. */
export async function injectEarly(dialogue: Dialogue, opened: Opened): Promise<void> {
  dialogue.seen.earlyCcs = await inject(opened, { patience: 1, isHeld: false });
}

async function inject(
  { connection, protocol, roundTripMs }: Opened,
  { patience, isHeld }: Manner,
): Promise<EarlyCcs | null> {
  const wait = WAIT_MS + 4 * roundTripMs;
  const source = new RecordSource(connection, new RecordReader());
  if (isHeld && (await reactionOf(source, wait)) !== SILENCE) return null;
  const record = tlsRecord(protocol, RECORD.changeCipherSpec, Buffer.from([1]));
  source.sendAsIs(record);
  const first = await answerOf(source, patience * wait);
  if (first !== null) return first === 'stopped' ? null : first;
  source.sendAsIs(record);
  const second = await answerOf(source, patience * wait);
  if (second === 'stopped') return null;
  return second === null ? { kind: 'silent' } : { kind: 'taken' };
}

/** How the server refused it; null where it did not: silence, a warning, or anything else that goes on. */
async function answerOf(source: RecordSource, ms: number): Promise<EarlyCcs | 'stopped' | null> {
  const answer = await source
    .find(record => (record.content[0] === FATAL ? alertIn(record) : null), ms)
    .catch(() => 'timeout' as const);
  if (answer === 'timeout') return null;
  if (answer === 'stopped') return answer;
  return answer === 'closed' || answer === 'reset' ? ENDED : { kind: 'refused', detail: answer };
}

/** Level of an alert that ends the connection (RFC 5246 section 7.2). */
const FATAL = 2;
