import { CbcOracle, NO_OBJECTION, TLS_WITH_CBC } from '../cbc-oracle';
import { versionsWith, type Outcome } from '../conversations';
import { compareReactions, SILENCE, type Ask, type Reaction } from '../reaction';
import type { CbcFlaw } from '../wire/cbc-record';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const FLAWS = ['bad-padding', 'bad-mac', 'no-mac'] as const satisfies readonly CbcFlaw[];
type Reactions = Record<CbcFlaw, Reaction>;

/**
 * POODLE against TLS (CVE-2014-8730 and others): padding that is not checked; and the padding oracles of 2019 (Zombie
 * POODLE, GOLDENDOODLE: Young, Black Hat Asia 2019; Merget and others, USENIX Security 2019): what was wrong with a
 * record shows. Three records, a connection each: a right MAC over padding whose first byte is wrong, a wrong MAC over
 * right padding, and padding that leaves no room for a MAC.
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
      case 'refused':
        return notApplicable(`It takes no CBC suite that can be tried here: ${comparison.reason}.`);
      case 'unknown':
        return cannotTell(`Wrong CBC records could not be tried: ${comparison.reason}.`);
      case 'unsteady':
        return cannotTell(`Answers wrong CBC records ${where} now so, now so: ${listed(comparison.reactions)}.`);
      case 'different':
        return vulnerable(`${flawNamed(comparison.reactions)} ${where}: ${listed(comparison.reactions)}.`);
      case 'same':
        return judgeSame(comparison.reaction, where);
    }
  },
};

function judgeSame(reaction: Reaction, where: string): Judgement {
  if (reaction === SILENCE) return cannotTell(`Says nothing to wrong CBC records ${where}.`);
  if (reaction === NO_OBJECTION) return vulnerable(`Takes CBC records with a wrong MAC ${where}.`);
  return ok(`Answers CBC records with wrong padding, with a wrong MAC and without one alike ${where}: ${reaction}.`);
}

function asker(oracle: CbcOracle): Ask<CbcFlaw> {
  return async function ask(flaw, options): Promise<Outcome<Reaction>> {
    const outcome = await (options.isPatient ? oracle.reactAgain(flaw) : oracle.react(flaw));
    if (outcome.kind !== 'used') return outcome;
    const { reaction } = outcome.value;
    // CVE-2016-2107, which has a check of its own
    if (flaw === 'no-mac' && reaction === 'alert record_overflow') return ask('bad-mac', options);
    return { kind: 'used', value: reaction };
  };
}

function flawNamed(reactions: Reactions): string {
  const { 'bad-padding': padding, 'bad-mac': mac, 'no-mac': none } = reactions;
  if (padding === NO_OBJECTION) return 'Does not check the padding of CBC records (POODLE against TLS, CVE-2014-8730)';
  if (mac === none) return 'Shows that the MAC under wrong padding was right (Zombie POODLE)';
  if (padding === none) return 'Shows that the padding under a wrong MAC was right (GOLDENDOODLE)';
  return 'Shows what was wrong with a CBC record (padding oracle)';
}

function listed(reactions: Reactions): string {
  return `${reactions['bad-padding']} to wrong padding, ${reactions['bad-mac']} to a wrong MAC, ${reactions['no-mac']} to no MAC`;
}
