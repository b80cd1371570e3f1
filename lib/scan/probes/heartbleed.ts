import type { Dialogue, Opened } from '../dialogue';
import type { Observation } from '../observation';
import { ByteReader, uint, vector } from '../wire/bytes';
import { VERSION_CODES } from '../wire/names';
import { RECORD, RecordReader } from '../wire/records';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const CLASSIC = ['TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'] as const;
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
  const protocol = CLASSIC.find(one => seen.heartbeats.has(one));
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
  if (!CLASSIC.some(protocol => seen.protocols[protocol].state === 'offered')) {
    return openQuestion(seen, CLASSIC) ?? notApplicable('It speaks no version in which it could be asked.');
  }
  return openQuestion(seen, CLASSIC) ?? ok('Its ServerHello takes no heartbeats (RFC 6520).');
}

/** Null where nothing came that could tell. */
async function beat({ connection, protocol, roundTripMs }: Opened, patience: number): Promise<Judgement | null> {
  const payload = Buffer.alloc(HELD + PADDING, 'CertDesk ');
  const heartbeat = (claimed: number): Buffer =>
    Buffer.concat([
      uint(RECORD.heartbeat, 1),
      uint(VERSION_CODES[protocol], 2),
      vector(2, uint(REQUEST, 1), uint(claimed, 2), payload),
    ]);
  connection.send(Buffer.concat([heartbeat(HELD + PADDING), heartbeat(HELD)]));
  const reader = new RecordReader();
  for (;;) {
    const received = await connection.receive(patience * (500 + 4 * roundTripMs));
    if (received === 'closed' || received === 'reset') return ok('It ended the connection on a false heartbeat.');
    if (typeof received === 'string') return null;
    for (const { type, content } of reader.push(received)) {
      if (type === RECORD.alert) return ok(`It answered a false heartbeat with alert ${content[1] ?? 0}.`);
      const length = type === RECORD.heartbeat ? responseLength(content) : null;
      if (length === HELD + PADDING) {
        return vulnerable('It answered a heartbeat with more bytes than the heartbeat held (CVE-2014-0160).');
      }
      if (length !== null)
        return ok('It dropped a heartbeat that claims more than it holds, and answered a correct one.');
    }
  }
}

/** Of the payload that comes back; null for anything but an answer. */
function responseLength(content: Buffer): number | null {
  if (content.length < 3) return null;
  const reader = new ByteReader(content);
  return reader.number(1) === RESPONSE ? reader.number(2) : null;
}
