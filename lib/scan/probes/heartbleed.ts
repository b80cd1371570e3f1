import type { Dialogue, Opened } from '../dialogue';
import { RecordSource } from '../handshake';
import { BY_SUITE, newestBySuite, type Observation } from '../observation';
import { ByteReader, uint } from '../wire/bytes';
import { tlsRecord } from '../wire/record-layer';
import { RECORD, RecordReader } from '../wire/records';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const REQUEST = 1;
const RESPONSE = 2;
/** RFC 6520 section 4: at least 16 bytes of padding. */
const PADDING = 16;
/** An answer shorter than 4,096 bytes would stay in OpenSSL's buffer while the handshake goes on. */
const HELD = 4600;

/**
 * CVE-2014-0160: a heartbeat that claims more than it holds is answered with what lies behind it. The one sent here
 * claims its own padding and no byte more, so that nothing of the server's memory is ever asked for. A correct one
 * follows, to see whether heartbeats are answered at all.
 */
export const heartbleed: AskingProbe = { id: 'heartbleed', ask };

async function ask(dialogue: Dialogue): Promise<Judgement> {
  const { seen } = dialogue;
  const protocol = BY_SUITE.find(one => seen.heartbeats.has(one));
  const suite = protocol === undefined ? undefined : seen.heartbeats.get(protocol);
  if (protocol === undefined || suite === undefined) return withoutExtension(seen);
  for (const patience of [1, 4]) {
    const outcome = await dialogue.converse(protocol, [suite], {}, opened => beat(opened, patience));
    if (outcome.kind !== 'used') {
      const why = outcome.kind === 'hit' ? 'its flight did not come to an end' : outcome.reason;
      if (patience > 1) return cannotTell(`It takes heartbeats, and then could not be sent one: ${why}.`);
    } else if (outcome.value !== null) {
      return outcome.value;
    }
  }
  return cannotTell('It says that it takes heartbeats (RFC 6520), but answered neither a false one nor a correct one.');
}

function withoutExtension(seen: Observation): Judgement {
  const open = openQuestion(seen, BY_SUITE);
  if (open !== null) return open;
  if (newestBySuite(seen) === undefined) return notApplicable('It speaks no version in which it could be asked.');
  return ok('Its ServerHello takes no heartbeats (RFC 6520).');
}

/** Null where nothing came that could tell. */
async function beat({ connection, protocol, roundTripMs }: Opened, patience: number): Promise<Judgement | null> {
  const payload = Buffer.alloc(HELD + PADDING, 'CertDesk ');
  const heartbeat = (claimed: number): Buffer =>
    tlsRecord(protocol, RECORD.heartbeat, Buffer.concat([uint(REQUEST, 1), uint(claimed, 2), payload]));
  const source = new RecordSource(connection, new RecordReader());
  source.sendAsIs(Buffer.concat([heartbeat(HELD + PADDING), heartbeat(HELD)]));
  for (;;) {
    const record = await source.next(patience * (500 + 4 * roundTripMs));
    if (record === 'closed' || record === 'reset') return ok('It ended the connection on a false heartbeat.');
    if (typeof record === 'string') return null;
    const { type, content } = record;
    if (type === RECORD.alert) return ok(`It answered a false heartbeat with alert ${content[1] ?? 0}.`);
    const length = type === RECORD.heartbeat ? responseLength(content) : null;
    if (length === HELD + PADDING) {
      return vulnerable('It answered a heartbeat with more bytes than the heartbeat held (CVE-2014-0160).');
    }
    if (length !== null)
      return ok('It dropped a heartbeat that claims more than it holds, and answered a correct one.');
  }
}

/** Of the payload that comes back; null for anything but an answer. */
function responseLength(content: Buffer): number | null {
  if (content.length < 3) return null;
  const reader = new ByteReader(content);
  return reader.number(1) === RESPONSE ? reader.number(2) : null;
}
