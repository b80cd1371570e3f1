import type { Outcome } from './conversations';
import { HandshakeError, type RecordSource } from './handshake';
import { alertName } from './wire/names';
import { RECORD, type TlsRecord } from './wire/records';

/**
 * What a server does, as far as anybody on the way can see it: `alert bad_record_mac`, `closed`, `reset`, or one of the
 * two below. Two reactions are the same when they read the same.
 */
export type Reaction = string;

export const SILENCE: Reaction = 'silence';
/** Something came that is no record under the keys. */
const GARBAGE: Reaction = 'garbage';

/**
 * How long to wait for a server that may say nothing, in ms: much longer than it needs, ten times that for a patient
 * question, and never longer than the scan waits.
 */
export function waitFor(roundTripMs: number, timeoutMs: number, { isPatient }: { isPatient: boolean }): number {
  const short = Math.max(300, 10 * roundTripMs);
  return Math.min(timeoutMs, isPatient ? 10 * short : short);
}

/**
 * The first alert or the end of the connection within `ms`. Data that comes meanwhile is none: many a server greets by
 * itself. Rejects with HandshakeError when the scan is stopped.
 */
export async function reactionOf(source: RecordSource, ms: number): Promise<Reaction> {
  const reaction = await source.find(alertIn, ms).catch(() => GARBAGE);
  if (reaction === 'stopped') throw new HandshakeError('the scan was stopped');
  return reaction === 'timeout' ? SILENCE : reaction;
}

/** An alert, as a reaction; null for every other record. */
export function alertIn({ type, content }: TlsRecord): Reaction | null {
  return type === RECORD.alert ? `alert ${alertName(content[1] ?? 0)}` : null;
}

/**
 * Ends that say nothing of what was sent: a server that is too busy, or that never goes further, ends everything so. All
 * other alerts speak of something.
 */
export function isBareEnd(reaction: Reaction): boolean {
  return reaction === 'closed' || reaction === 'reset' || reaction === 'alert close_notify';
}

/** Asks with one kind of message. */
export type Ask<V> = (vector: V, options: { isPatient: boolean }) => Promise<Outcome<Reaction>>;

type Round<V extends string> = Record<V, Reaction>;
type Failure = Exclude<Outcome<Reaction>, { kind: 'used' }>;

export type Comparison<V extends string> =
  | { kind: 'same'; reaction: Reaction }
  /** Told apart, time after time. */
  | { kind: 'different'; reactions: Round<V> }
  /** Told apart, and not by what was sent. */
  | { kind: 'unsteady'; reactions: Round<V> }
  /** Not all could be asked. */
  | Failure;

/**
 * Whether a server reacts in the same way to all of `vectors`. One question for each when it does; differences and
 * silence are looked at again with all patience, twice, since a close and a reset may differ by chance.
 */
export async function compareReactions<V extends string>(vectors: readonly V[], ask: Ask<V>): Promise<Comparison<V>> {
  const first = await askAll(vectors, ask, { isPatient: false });
  if ('failed' in first) return first.failed;
  const hadSilence = vectors.some(vector => first.round[vector] === SILENCE);
  const isFirstSame = isSame(vectors, first.round);
  if (isFirstSame && !hadSilence) return { kind: 'same', reaction: first.round[vectors[0] as V] };

  const second = await askAll(vectors, ask, { isPatient: true });
  if ('failed' in second) return second.failed;
  if (isSame(vectors, second.round)) {
    if (isFirstSame || hadSilence) return { kind: 'same', reaction: second.round[vectors[0] as V] };
    return { kind: 'unsteady', reactions: first.round };
  }
  const third = await askAll(vectors, ask, { isPatient: true });
  if ('failed' in third) return third.failed;
  const isSteady = vectors.every(
    vector =>
      second.round[vector] === third.round[vector] &&
      // what was silence in a short time may be anything in a long one
      (first.round[vector] === second.round[vector] || first.round[vector] === SILENCE),
  );
  return { kind: isSteady ? 'different' : 'unsteady', reactions: third.round };
}

async function askAll<V extends string>(
  vectors: readonly V[],
  ask: Ask<V>,
  options: { isPatient: boolean },
): Promise<{ round: Round<V> } | { failed: Failure }> {
  const answers = await Promise.all(vectors.map(async vector => ({ vector, answer: await ask(vector, options) })));
  const round = {} as Round<V>;
  for (const { vector, answer } of answers) {
    if (answer.kind !== 'used') return { failed: answer };
    round[vector] = answer.value;
  }
  return { round };
}

function isSame<V extends string>(vectors: readonly V[], round: Round<V>): boolean {
  return new Set(vectors.map(vector => round[vector])).size === 1;
}
