import { converseInTurn, versionsWith, type Offer } from './converse';
import type { Dialogue, Opened } from './dialogue';
import { completeHandshake } from './handshake';
import { reactionOf, SILENCE, waitFor, type Reaction } from './reaction';
import type { Reply } from './reply';
import { SUITES, type Suite } from './suites/suites';
import type { TlsProtocol } from './wire/names';
import { CbcSealer, sealFlawed, type CbcFlaw } from './wire/cbc-record';
import { cipherSpec } from './wire/cipher-spec';
import { AGREEABLE_GROUPS, isAgreeable } from './wire/key-exchange';
import { RECORD } from './wire/records';

/** It went on as if the record had been right: it ended the connection in order when asked to. */
export const NO_OBJECTION: Reaction = 'no objection';

/** Versions whose padding says how long it is in every byte; SSLv3 has no such rule. */
export const TLS_WITH_CBC: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1'];

const speakable = SUITES.filter(suite => isAgreeable(suite) && cipherSpec(suite)?.mode === 'cbc');
/** CVE-2016-2107 is in code for AES with these MACs alone, in OpenSSL 1.0.1 with SHA-1 alone. */
const isSuspect = ({ enc, mac }: Suite): boolean => enc.startsWith('AES') && (mac === 'SHA' || mac === 'SHA256');
const isAesWithSha1 = (suite: Suite): boolean => isSuspect(suite) && suite.mac === 'SHA';
const LISTS: readonly (readonly Suite[])[] = [
  speakable.filter(isAesWithSha1),
  speakable.filter(suite => !isAesWithSha1(suite)),
];

/** How a server reacted to one wrong record. */
export interface CbcReaction {
  reaction: Reaction;
  protocol: TlsProtocol;
  suite: Suite;
  /** Whether that suite is one in which CVE-2016-2107 may show. */
  isSuspect: boolean;
}

export type CbcOutcome = { kind: 'used'; value: CbcReaction } | Exclude<Reply, { kind: 'hit' }>;

const CLOSE_NOTIFY = Buffer.from([1, 0]);

/** What a server does with wrong records of CBC; each kind costs one connection, whichever checks ask for it. */
export class CbcOracle {
  /** The offer that the server took, as soon as it is known. */
  #offer: Promise<Offer | null> | null = null;
  readonly #known = new Map<CbcFlaw, Promise<CbcOutcome>>();

  private constructor(private readonly dialogue: Dialogue) {}

  static readonly #ofDialogue = new WeakMap<Dialogue, CbcOracle>();

  /** One for all checks of an endpoint. */
  static of(dialogue: Dialogue): CbcOracle {
    const known = CbcOracle.#ofDialogue.get(dialogue) ?? new CbcOracle(dialogue);
    CbcOracle.#ofDialogue.set(dialogue, known);
    return known;
  }

  /** What it does at first, asked once. */
  react(flaw: CbcFlaw): Promise<CbcOutcome> {
    const known = this.#known.get(flaw) ?? this.#ask(flaw, { isPatient: false });
    this.#known.set(flaw, known);
    return known;
  }

  /** Asks again, with patience. */
  reactAgain(flaw: CbcFlaw): Promise<CbcOutcome> {
    return this.#ask(flaw, { isPatient: true });
  }

  async #ask(flaw: CbcFlaw, options: { isPatient: boolean }): Promise<CbcOutcome> {
    const offer = await this.#offer;
    if (offer !== null) return this.#try([offer], flaw, options);
    const versions = versionsWith(this.dialogue.seen, 'cbc-beast', TLS_WITH_CBC);
    const offers = LISTS.flatMap(suites => versions.map(protocol => ({ protocol, suites })));
    let settle: (taken: Offer | null) => void = () => {};
    this.#offer = new Promise(resolve => (settle = resolve));
    let taken: Offer | null = null;
    const outcome = await this.#try(offers, flaw, options, used => (taken = used));
    settle(taken);
    return outcome;
  }

  async #try(
    offers: readonly Offer[],
    flaw: CbcFlaw,
    options: { isPatient: boolean },
    onTaken: (offer: Offer) => void = () => {},
  ): Promise<CbcOutcome> {
    const reply = await converseInTurn(
      this.dialogue,
      offers,
      { groups: AGREEABLE_GROUPS },
      async (opened, offer): Promise<CbcReaction> => {
        const reaction = await provoke(opened, flaw, this.dialogue.line.timeoutMs, options);
        onTaken(offer);
        return { reaction, protocol: opened.protocol, suite: opened.suite, isSuspect: isSuspect(opened.suite) };
      },
    );
    if (reply.kind !== 'hit') return reply;
    return { kind: 'unknown', how: 'odd', word: 'MALFORMED', reason: 'its first flight did not come to an end' };
  }
}

/** Completes a handshake, sends the wrong record, and looks what comes. */
async function provoke(
  opened: Opened,
  flaw: CbcFlaw,
  timeoutMs: number,
  options: { isPatient: boolean },
): Promise<Reaction> {
  const { session, roundTripMs } = await completeHandshake(opened);
  const { layer } = session;
  if (!(layer.sealer instanceof CbcSealer)) throw new Error(`${opened.suite.name} is no suite with CBC`);
  const ms = waitFor(roundTripMs, timeoutMs, options);
  session.sendAsIs(layer.record(RECORD.applicationData, sealFlawed(layer.sealer, flaw)));
  const reaction = await reactionOf(session, ms);
  if (reaction !== SILENCE) return reaction;
  session.send(RECORD.alert, CLOSE_NOTIFY);
  const after = await reactionOf(session, ms);
  return GOODBYES.has(after) ? NO_OBJECTION : after;
}

/** How a server answers close_notify. */
const GOODBYES: ReadonlySet<Reaction> = new Set(['alert close_notify', 'closed', 'reset']);
