import type { Dialogue, Opened } from '../dialogue';
import { RecordSource } from '../handshake';
import { BY_SUITE, newestBySuite, type EarlyCcs } from '../observation';
import { alertName } from '../wire/names';
import { tlsRecord } from '../wire/record-layer';
import { RECORD, RecordReader } from '../wire/records';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

/** A server that refuses does so at once; this, or some round trips, is what it gets. */
const WAIT_MS = 300;

/**
 * CVE-2014-0224: OpenSSL before 1.0.1h takes a ChangeCipherSpec before there is a key, and uses an empty one. Asked on
 * the connection of the first certificate (`injectEarly`); where it was taken in silence, once more with more patience,
 * since only a second one shows whether the first was taken.
 */
export const ccsInjection: AskingProbe = { id: 'ccs-injection', ask };

async function ask(dialogue: Dialogue): Promise<Judgement> {
  const { seen } = dialogue;
  await dialogue.line.idle(); // the early one may still be waiting for its answer
  const protocol = newestBySuite(seen);
  if (protocol === undefined) {
    return openQuestion(seen, BY_SUITE) ?? notApplicable('It speaks no version in which an early one could be taken.');
  }
  let last = seen.earlyCcs;
  for (const patience of last === null ? [1, 4] : last.kind === 'refused' ? [] : [4]) {
    const outcome = await dialogue.converse(protocol, [...seen.accepted[protocol]], {}, opened =>
      inject(opened, patience),
    );
    const before = last;
    if (outcome.kind === 'used') last = outcome.value;
    if (last?.kind === 'refused' || before?.kind === 'taken') break;
  }
  if (last === null) return cannotTell('No connection could be made to send it a ChangeCipherSpec before its time.');
  if (last.kind === 'refused') return ok(`It refused a ChangeCipherSpec before its time: ${last.detail}.`);
  if (last.kind === 'silent')
    return cannotTell('It said nothing to a ChangeCipherSpec before its time, nor to a second.');
  return vulnerable(
    'It took a ChangeCipherSpec before there was a key (CVE-2014-0224), and refused only a second one.',
  );
}

/** What the connection of the first certificate shows. */
export async function injectEarly(dialogue: Dialogue, opened: Opened): Promise<void> {
  dialogue.seen.earlyCcs = await inject(opened, 1);
}

async function inject({ connection, protocol, roundTripMs }: Opened, patience: number): Promise<EarlyCcs | null> {
  const wait = patience * (WAIT_MS + 4 * roundTripMs);
  const record = tlsRecord(protocol, RECORD.changeCipherSpec, Buffer.from([1]));
  connection.send(record);
  const first = await answerOf(connection, wait);
  if (first === 'stopped') return null;
  if (first !== null) return { kind: 'refused', detail: first };
  connection.send(record);
  const second = await answerOf(connection, wait);
  if (second === 'stopped') return null;
  return second === null ? { kind: 'silent' } : { kind: 'taken' };
}

/** How the server refused it; null where it did not: silence, a warning, or anything else that goes on. */
async function answerOf(connection: Opened['connection'], ms: number): Promise<string | null> {
  const source = new RecordSource(connection, new RecordReader());
  const deadline = performance.now() + ms;
  for (;;) {
    const record = await source.next(Math.max(0, deadline - performance.now())).catch(() => 'timeout' as const);
    if (record === 'timeout') return null;
    if (record === 'closed' || record === 'reset') return 'it ended the connection';
    if (record === 'stopped') return 'stopped';
    const [level, description = 0] = record.content;
    if (record.type === RECORD.alert && level === FATAL) return `alert ${alertName(description)}`;
  }
}

/** Level of an alert that ends the connection (RFC 5246 section 7.2). */
const FATAL = 2;
