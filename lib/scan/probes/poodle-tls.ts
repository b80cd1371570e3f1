import { cbcTaken, CbcOracle, NO_OBJECTION, TLS_WITH_CBC, type CbcReaction } from '../cbc-oracle';
import { versionsWith, type Outcome } from '../conversations';
import { compareReactions, SILENCE, type Ask, type Reaction } from '../reaction';
import type { CbcFlaw } from '../wire/cbc-record';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const FLAWS = ['bad-padding', 'bad-mac'] as const satisfies readonly CbcFlaw[];
type Reactions = Record<(typeof FLAWS)[number], Reaction>;

/**
 * POODLE against TLS (CVE-2014-8730 and others): padding that is not checked; and the padding oracles of 2019 (Zombie
 * POODLE, GOLDENDOODLE: Young, Black Hat Asia 2019; Merget and others, USENIX Security 2019): what was wrong with a
 * record shows. Two records, a connection each: a right MAC over padding whose first byte is wrong, and a wrong MAC over
 * right padding; a third one, with both wrong, where they are told apart. Not covered: oracles that show other lengths
 * or values of padding alone, and those by time.
 */
export const poodleTls: AskingProbe = {
  id: 'poodle-tls',
  ask: async dialogue => {
    const { seen } = dialogue;
    if (versionsWith(seen, 'cbc-beast', TLS_WITH_CBC).length === 0) {
      return openQuestion(seen, TLS_WITH_CBC) ?? notApplicable('It takes no CBC suite in TLS.');
    }
    const oracle = CbcOracle.of(dialogue);
    const comparison = await compareReactions(FLAWS, asker(oracle));
    const first = await oracle.react('bad-padding'); // known by now
    const where = first.kind === 'used' ? `with ${first.value.suite.name} in ${first.value.protocol}` : '';
    switch (comparison.kind) {
      case 'refused': {
        const taken = cbcTaken(seen, { isForSuspects: false });
        if (taken !== undefined) return cannotTell(`It takes ${taken.name}, in which no record can be tried here.`);
        return notApplicable(`It takes no CBC suite that can be tried here: ${comparison.reason}.`);
      }
      case 'unknown':
        return cannotTell(`Wrong CBC records could not be tried: ${comparison.reason}.`);
      case 'unsteady':
        return cannotTell(`Answers wrong CBC records ${where} now so, now so: ${listed(comparison.reactions)}.`);
      case 'different':
        return judgeDifferent(comparison.reactions, await oracle.reactAgain('bad-both'), where);
      case 'same':
        return judgeSame(oracle, comparison.reaction, where);
    }
  },
};

async function judgeSame(oracle: CbcOracle, reaction: Reaction, where: string): Promise<Judgement> {
  if (reaction === SILENCE) return cannotTell(`Says nothing to wrong CBC records ${where}.`);
  if (reaction === NO_OBJECTION) {
    // once more with all patience: who ends silent connections soon would look the same
    const again = await oracle.reactAgain('bad-mac');
    return again.kind === 'used' && again.value.reaction === NO_OBJECTION
      ? vulnerable(`Takes CBC records with a wrong MAC ${where}.`)
      : cannotTell(`Answers a CBC record with a wrong MAC ${where} now so, now so.`);
  }
  const doubt = await oracle.doubtOf(reaction);
  if (doubt !== null) return cannotTell(`Answers wrong CBC records ${where} by ${reaction}, but ${doubt}.`);
  return ok(`Answers CBC records with wrong padding and with a wrong MAC alike ${where}: ${reaction}.`);
}

/** Vulnerable in any case; the third reaction says what it is that shows. */
function judgeDifferent(reactions: Reactions, third: Outcome<CbcReaction>, where: string): Judgement {
  const both = third.kind === 'used' ? third.value.reaction : null;
  const evidence = listed(reactions) + (both === null ? '' : `, ${both} to both`);
  return vulnerable(`${flawNamed(reactions, both)} ${where}: ${evidence}.`);
}

function flawNamed({ 'bad-padding': padding, 'bad-mac': mac }: Reactions, both: Reaction | null): string {
  if (padding === NO_OBJECTION) return 'Does not check the padding of CBC records (POODLE against TLS, CVE-2014-8730)';
  if (mac === both) return 'Shows that the MAC under wrong padding was right (Zombie POODLE)';
  if (padding === both) return 'Shows that the padding under a wrong MAC was right (GOLDENDOODLE)';
  return 'Shows what was wrong with a CBC record (padding oracle)';
}

function listed(reactions: Reactions): string {
  return `${reactions['bad-padding']} to wrong padding, ${reactions['bad-mac']} to a wrong MAC`;
}

function asker(oracle: CbcOracle): Ask<CbcFlaw> {
  return async (flaw, { isPatient }): Promise<Outcome<Reaction>> => {
    const outcome = await (isPatient ? oracle.reactAgain(flaw) : oracle.react(flaw));
    return outcome.kind === 'used' ? { kind: 'used', value: outcome.value.reaction } : outcome;
  };
}
