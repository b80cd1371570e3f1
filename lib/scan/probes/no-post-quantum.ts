import type { Dialogue } from '../dialogue';
import { allSuites } from '../suites/lists';
import { cannotTell, ok, vulnerable, type AskingProbe, type Judgement } from './probe';

/** X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, MLKEM512, 768, 1024 (IANA's TLS Supported Groups). */
const GROUPS = [0x11ec, 0x11eb, 0x11ed, 0x0201, 0x0202, 0x0200];

/** Advice: what is recorded today can be read once there are quantum computers, unless its keys came by ML-KEM. */
export const noPostQuantum: AskingProbe = { id: 'no-post-quantum', ask };

async function ask(dialogue: Dialogue): Promise<Judgement> {
  const { state, reason } = dialogue.seen.protocols['TLSv1.3'];
  if (state === 'cannot-tell') return cannotTell(`TLSv1.3 could not be decided: ${reason}.`);
  if (state === 'refused')
    return vulnerable('It does not speak TLS 1.3, in which alone post-quantum keys can be agreed.');
  for (const isLast of [false, true]) {
    const reply = await dialogue.converse('TLSv1.3', allSuites('TLSv1.3'), { groups: GROUPS }, ({ flight }) =>
      Promise.resolve(flight.group),
    );
    if (reply.kind === 'used' && reply.value !== null) return judgeGroup(reply.value);
    if (reply.kind === 'used' || reply.kind === 'hit') {
      if (isLast) return cannotTell('It answers an offer of ML-KEM without naming a group.');
      continue;
    }
    const isAlert = reply.kind === 'unknown' && reply.reason.startsWith('alert '); // whichever: it speaks TLS 1.3
    if (reply.kind === 'refused' || isAlert) return vulnerable(`It refuses ML-KEM: ${reply.reason}.`);
    if (isLast) return cannotTell(`Whether it takes ML-KEM could not be decided: ${reply.reason}.`);
  }
  return cannotTell('It was not asked.');
}

/** A server may choose a group that nobody offered. */
function judgeGroup(group: number): Judgement {
  return GROUPS.includes(group)
    ? ok('It agrees on keys by ML-KEM.')
    : vulnerable(`It answers an offer of ML-KEM alone with another group (${group}).`);
}
