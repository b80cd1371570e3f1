import { CbcOracle, TLS_WITH_CBC } from '../cbc-oracle';
import { Conversations, versionsWith } from '../conversations';
import type { Dialogue, Opened } from '../dialogue';
import { completeHandshake, RecordSource } from '../handshake';
import { BY_SUITE } from '../observation';
import { compareReactions, reactionOf, SILENCE, waitFor, type Reaction } from '../reaction';
import { allSuites } from '../suites/lists';
import { speakableOffers } from '../suites/speakable';
import type { Suite } from '../suites/suites';
import { encryptPremaster, type PremasterFlaw } from '../wire/bleichenbacher';
import { random } from '../wire/bytes';
import { asksForCertificate, clientPart } from '../wire/client-handshake';
import { rsaBody, rsaKey } from '../wire/key-exchange';
import { tlsRecord } from '../wire/record-layer';
import { RECORD, RecordReader } from '../wire/records';
import { cannotTell, notApplicable, ok, openQuestion, vulnerable, type AskingProbe, type Judgement } from './probe';

const FLAWS = ['correct', 'wrong-version', 'wrong-start', 'no-zero', 'misplaced-zero'] as const;
type Reactions = Record<PremasterFlaw, Reaction>;

const isStaticRsa = ({ kex, auth }: Suite): boolean => kex === 'RSA' && auth === 'RSA';
const LISTS = new Map(BY_SUITE.map(protocol => [protocol, allSuites(protocol).filter(isStaticRsa)]));

/**
 * ROBOT (robotattack.org; CVE-2017-13099 and others): whether the padding of a premaster secret was right shows. Five
 * secrets, a connection each. Every connection goes on to a Finished that is wrong for whatever secret, so that a server
 * without the flaw fails in the same way each time, and shows on the way what it does to the secret alone.
 */
export const robot: AskingProbe = {
  id: 'robot',
  ask: async dialogue => {
    const { seen } = dialogue;
    const versions = versionsWith(seen, 'no-forward-secrecy', BY_SUITE);
    if (versions.length === 0) {
      return openQuestion(seen, BY_SUITE) ?? notApplicable('It takes no suite with static RSA.');
    }
    const offers = versions.map(protocol => ({ protocol, suites: LISTS.get(protocol) ?? [] }));
    const conversations = new Conversations(dialogue, offers);
    // the least of all: a server that handles one connection after the other lets the others wait
    let roundTripMs = Infinity;
    let asksForIt = false;
    const comparison = await compareReactions(FLAWS, (flaw, { isPatient }) =>
      conversations.hold(opened => {
        roundTripMs = Math.min(roundTripMs, opened.roundTripMs);
        asksForIt ||= asksForCertificate(opened.flight);
        return provoke(opened, flaw, waitFor(roundTripMs, dialogue.line.timeoutMs, { isPatient }));
      }),
    );
    switch (comparison.kind) {
      case 'refused': {
        const taken = BY_SUITE.flatMap(protocol => [...seen.accepted[protocol]]).find(isStaticRsa);
        return taken === undefined
          ? notApplicable(`It takes no suite with static RSA: ${comparison.reason}.`)
          : cannotTell(`It took ${taken.name} before, and refuses it now: ${comparison.reason}.`);
      }
      case 'unknown':
        return cannotTell(`Premaster secrets could not be tried: ${comparison.reason}.`);
      case 'unsteady':
        return cannotTell(`Answers premaster secrets now so, now so: ${listed(comparison.reactions)}.`);
      case 'different':
        return vulnerable(
          `Shows what was wrong with a premaster secret (${strengthOf(comparison.reactions)}): ` +
            `${listed(comparison.reactions)}.`,
        );
      case 'same':
        return judgeSame(dialogue, comparison.reaction, { asksForIt });
    }
  },
};

async function judgeSame(
  dialogue: Dialogue,
  reaction: Reaction,
  { asksForIt }: { asksForIt: boolean },
): Promise<Judgement> {
  const after = asksForIt ? ', after it asked for a certificate of the client' : '';
  if (reaction === SILENCE) return cannotTell(`Says nothing to any premaster secret, nor to a wrong Finished${after}.`);
  if (reaction.endsWith(TOO_EARLY))
    return cannotTell(`Ends the handshake before it is known what it does${after}: ${reaction}.`);
  if (!ABOUT_FINISHED.has(reaction)) {
    const problem = await whyNoHandshake(dialogue);
    if (problem !== null) return cannotTell(`Answers all premaster secrets by ${reaction}, and ${problem}.`);
  }
  return ok(`Answers right and wrong premaster secrets alike: ${reaction}.`);
}

/** Alerts over a Finished that does not open or is wrong; every other end may come whatever was sent. */
const ABOUT_FINISHED: ReadonlySet<Reaction> = new Set(
  ['bad_record_mac', 'decryption_failed', 'record_overflow', 'decrypt_error'].map(name => `alert ${name}`),
);

/**
 * Whether a right secret with a right Finished goes through; null where it does, and where no suite of it can be spoken
 * here (RC4): that the server waited for a Finished each time has to do then.
 */
async function whyNoHandshake(dialogue: Dialogue): Promise<string | null> {
  // a handshake that is made anyway where there are suites with CBC, whose wrong record comes after its end
  const hasCbc = versionsWith(dialogue.seen, 'cbc-beast', TLS_WITH_CBC).length > 0;
  if (hasCbc && (await CbcOracle.of(dialogue).react('bad-mac')).kind === 'used') return null;
  const offers = speakableOffers(dialogue.seen).map(({ protocol, suites }) => ({
    protocol,
    suites: suites.filter(isStaticRsa),
  }));
  const outcome = await new Conversations(dialogue, offers).hold(completeHandshake);
  return outcome.kind === 'unknown' ? `no handshake came to its end: ${outcome.reason}` : null;
}

/** At once, so that the Finished was not waited for. */
const TOO_EARLY = ' before the Finished';

/** Sends one secret, waits a moment, then what has to follow it, with a Finished that is no such thing. */
async function provoke(
  { connection, hello, flight, protocol }: Opened,
  flaw: PremasterFlaw,
  waitMs: number,
): Promise<Reaction> {
  const encrypted = encryptPremaster(rsaKey(flight), flaw, hello.message.readUInt16BE(4));
  const source = new RecordSource(connection, new RecordReader());
  const part = clientPart(flight, rsaBody(protocol, encrypted));
  source.sendAsIs(tlsRecord(protocol, RECORD.handshake, Buffer.concat(part)));
  const early = await reactionOf(source, waitMs / 2);
  if (early !== SILENCE) return early + TOO_EARLY;
  source.sendAsIs(
    Buffer.concat([
      tlsRecord(protocol, RECORD.changeCipherSpec, Buffer.from([1])),
      tlsRecord(protocol, RECORD.handshake, random(GARBAGE_LENGTH)),
    ]),
  );
  return reactionOf(source, waitMs);
}

/** Whole blocks of any cipher, and room for an IV, a Finished and a MAC. */
const GARBAGE_LENGTH = 96;

/** By the paper: with a weak oracle nobody but who has time decrypts anything. */
function strengthOf(reactions: Reactions): string {
  const wrong = new Set([reactions['wrong-start'], reactions['no-zero'], reactions['misplaced-zero']]);
  if (wrong.size > 1) return 'a strong oracle';
  if (wrong.has(reactions.correct)) return 'a wrong version shows, CVE-2003-0131';
  return 'a weak oracle';
}

function listed(reactions: Reactions): string {
  return FLAWS.map(flaw => `${reactions[flaw]} to ${NAMES[flaw]}`).join(', ');
}

const NAMES: Readonly<Record<PremasterFlaw, string>> = {
  correct: 'a right one',
  'wrong-version': 'a wrong version',
  'wrong-start': 'a wrong start',
  'no-zero': 'one without a zero byte',
  'misplaced-zero': 'a zero byte in the wrong place',
};
