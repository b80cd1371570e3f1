import { cbcTaken, CbcOracle, NO_OBJECTION, SPARED, TLS_WITH_CBC, type CbcReaction } from '../cbc-oracle';
import { versionsWith, type Outcome } from '../conversations';
import { SILENCE, type Reaction } from '../reaction';
import type { Observation } from '../observation';
import { CLASSIC } from '../versions';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const RECORD_OVERFLOW: Reaction = 'alert record_overflow';
const BAD_RECORD_MAC: Reaction = 'alert bad_record_mac';

/**
 * CVE-2016-2107 (OpenSSL's advisory of 3 May 2016): the AES-NI code of OpenSSL before 1.0.2h and 1.0.1t does not check
 * that the padding leaves room for a MAC, so that a record of nothing but padding comes out with a length below zero.
 *
 * That record is harmful: a program that goes on to read after the alert, as Node.js 4.0.0 does, is given memory without
 * end. So it is sent only where the server may be one of those, and should be after all other checks of the endpoint.
 */
export const paddingOracle20162107: AskingProbe = {
  id: 'padding-oracle-2016-2107',
  ask: async dialogue => {
    const { seen } = dialogue;
    if (versionsWith(seen, 'cbc-beast', TLS_WITH_CBC).length === 0) {
      return openQuestion(seen, TLS_WITH_CBC) ?? notApplicable('It takes no CBC suite in TLS.');
    }
    const sign = signOfNewer(seen);
    if (sign !== null) return ok(tooNew(sign));
    const oracle = CbcOracle.of(dialogue);
    return judge(seen, oracle, await oracle.react('no-mac'));
  },
};

/** What OpenSSL has had since 1.1.0, which was never open to it; null where nothing of it was seen. */
function signOfNewer(seen: Observation): string | null {
  if (seen.protocols['TLSv1.3'].state === 'offered') return 'it speaks TLS 1.3';
  const newer = CLASSIC.flatMap(protocol => [...seen.accepted[protocol]]).find(
    ({ enc, name }) => /^(CHACHA20_POLY1305|ARIA)|_CCM/.test(enc) && !name.startsWith('OLD_'),
  );
  return newer === undefined ? null : `it takes ${newer.name}`;
}

function tooNew(sign: string): string {
  return `Newer than the versions of OpenSSL that are open to it: ${sign}.`;
}

async function judge(seen: Observation, oracle: CbcOracle, outcome: Outcome<CbcReaction>): Promise<Judgement> {
  const isOther = outcome.kind === 'used' && !outcome.value.isSuspect;
  const suspect = cbcTaken(seen, { isForSuspects: true });
  if (suspect !== undefined && (isOther || outcome.kind === 'refused'))
    return cannotTell(`It takes ${suspect.name}, in which no record can be tried here.`);
  if (outcome.kind === 'refused')
    return notApplicable(`It takes no CBC suite that can be tried here: ${outcome.reason}.`);
  if (outcome.kind === 'unknown') return cannotTell(`No CBC record could be tried: ${outcome.reason}.`);
  const { suite, protocol, reaction } = outcome.value;
  if (isOther) return notApplicable('It takes no suite with AES, CBC and SHA-1 or SHA-256.');
  if (reaction === SPARED) return ok(tooNew('it agrees on keys over X25519'));
  const where = `with ${suite.name} in ${protocol}`;
  if (reaction === RECORD_OVERFLOW) {
    return vulnerable(
      `Answers a record of nothing but padding by ${reaction} ${where}, as OpenSSL with CVE-2016-2107.`,
    );
  }
  if (reaction === BAD_RECORD_MAC) return ok(`Answers a record of nothing but padding by ${reaction} ${where}.`);
  return judgeOdd(seen, oracle, reaction, where);
}

/** A server that never says what was wrong: it gives nothing away when it does the same for any other wrong MAC. */
async function judgeOdd(seen: Observation, oracle: CbcOracle, first: Reaction, where: string): Promise<Judgement> {
  const [again, plain] = await Promise.all([oracle.reactAgain('no-mac'), oracle.reactAgain('bad-mac')]);
  if (again.kind !== 'used' || plain.kind !== 'used') return cannotTell(`Answered by ${first} ${where}, then no more.`);
  const { reaction } = again.value;
  if (reaction === RECORD_OVERFLOW || reaction === BAD_RECORD_MAC) return judge(seen, oracle, again);
  const isSame = reaction === plain.value.reaction;
  if (isSame && reaction !== SILENCE && reaction !== NO_OBJECTION) {
    const doubt = await oracle.doubtOf(reaction);
    if (doubt !== null) return cannotTell(`Answers wrong CBC records ${where} by ${reaction}, but ${doubt}.`);
    return ok(`Answers a record of nothing but padding as any other with a wrong MAC ${where}: ${reaction}.`);
  }
  return cannotTell(
    `Answers a record of nothing but padding by ${reaction} ${where}, one with a wrong MAC by ${plain.value.reaction}.`,
  );
}
