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
    const reply = await dialogue.converse('TLSv1.3', allSuites('TLSv1.3'), { groups: GROUPS }, () => Promise.resolve());
    if (reply.kind === 'used' || reply.kind === 'hit') return ok('It agrees on keys by ML-KEM.');
    const isAlert = reply.kind === 'unknown' && reply.reason.startsWith('alert '); // whichever: it speaks TLS 1.3
    if (reply.kind === 'refused' || isAlert) return vulnerable(`It refuses ML-KEM: ${reply.reason}.`);
    if (isLast) return cannotTell(`Whether it takes ML-KEM could not be decided: ${reply.reason}.`);
  }
  return cannotTell('It was not asked.');
}
