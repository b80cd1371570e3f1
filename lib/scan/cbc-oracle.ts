import { Conversations, versionsWith, type Outcome } from './conversations';
import type { Dialogue, Opened } from './dialogue';
import { completeHandshake } from './handshake';
import { reactionOf, SILENCE, waitFor, type Reaction } from './reaction';
import { SUITES, type Suite } from './suites/suites';
import type { Observation } from './observation';
import type { TlsProtocol } from './wire/names';
import { asksForCertificate } from './wire/client-handshake';
import { CbcSealer, sealFlawed, type CbcFlaw } from './wire/cbc-record';
import { cipherSpec } from './wire/cipher-spec';
import { groupOf, isAgreeable } from './wire/key-exchange';
import { RECORD } from './wire/records';

/** It went on as if the record had been right: it ended the connection in order when asked to. */
export const NO_OBJECTION: Reaction = 'no objection';

/** The record was not sent: it is about OpenSSL before 1.1.0, and the server agreed on a key over X25519 or X448. */
export const SPARED: Reaction = 'spared';
const MODERN_GROUPS: readonly (number | null)[] = [0x001d, 0x001e];

/** Versions whose padding says how long it is in every byte; SSLv3 has no such rule. */
export const TLS_WITH_CBC: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1'];

/** ECDHE first, since the group tells something of the server's age. */
const EXCHANGES = ['ECDHE', 'RSA', 'DHE'];
const speakable = SUITES.filter(suite => isAgreeable(suite) && cipherSpec(suite)?.mode === 'cbc').toSorted(
  (a, b) => EXCHANGES.indexOf(a.kex) - EXCHANGES.indexOf(b.kex),
);
/** CVE-2016-2107 is in code for AES with these MACs alone, in OpenSSL 1.0.1 with SHA-1 alone. */
const isSuspect = ({ enc, mac }: Suite): boolean => enc.startsWith('AES') && (mac === 'SHA' || mac === 'SHA256');
const isAesWithSha1 = (suite: Suite): boolean => isSuspect(suite) && suite.mac === 'SHA';
/** A server with an order of its own must not choose another one while it has one of these. */
const LISTS: readonly (readonly Suite[])[] = [
  speakable.filter(isAesWithSha1),
  speakable.filter(suite => isSuspect(suite) && !isAesWithSha1(suite)),
  speakable.filter(suite => !isSuspect(suite)),
];

/** Alerts that say what became of a record; every other end may be for whatever reason. */
const ABOUT_RECORDS: ReadonlySet<Reaction> = new Set([
  'alert bad_record_mac',
  'alert decryption_failed',
  'alert record_overflow',
]);

/** A suite with CBC that was seen to be taken in TLS, so that one that refuses all here is not without them. */
export function cbcTaken(seen: Observation, { isForSuspects }: { isForSuspects: boolean }): Suite | undefined {
  return TLS_WITH_CBC.flatMap(protocol => [...seen.accepted[protocol]]).find(suite =>
    isForSuspects ? isSuspect(suite) && suite.enc.includes('CBC') : suite.weaknesses.includes('cbc-beast'),
  );
}

/** How a server reacted to one wrong record. */
export interface CbcReaction {
  reaction: Reaction;
  protocol: TlsProtocol;
  suite: Suite;
  /** Whether that suite is one in which CVE-2016-2107 may show. */
  isSuspect: boolean;
  /** Whether the server asked for a certificate of the client. */
  asksForCertificate: boolean;
}

const CLOSE_NOTIFY = Buffer.from([1, 0]);

/** What a server does with wrong records of CBC; each kind costs one connection, whichever checks ask for it. */
export class CbcOracle {
  readonly #conversations: Conversations;
  readonly #timeoutMs: number;
  readonly #known = new Map<CbcFlaw, Promise<Outcome<CbcReaction>>>();

  private constructor(dialogue: Dialogue) {
    const versions = versionsWith(dialogue.seen, 'cbc-beast', TLS_WITH_CBC);
    const offers = LISTS.flatMap(suites => versions.map(protocol => ({ protocol, suites })));
    this.#conversations = new Conversations(dialogue, offers);
    this.#timeoutMs = dialogue.line.timeoutMs;
  }

  static readonly #ofDialogue = new WeakMap<Dialogue, CbcOracle>();

  /** One for all checks of an endpoint. */
  static of(dialogue: Dialogue): CbcOracle {
    const known = CbcOracle.#ofDialogue.get(dialogue) ?? new CbcOracle(dialogue);
    CbcOracle.#ofDialogue.set(dialogue, known);
    return known;
  }

  /** What it does at first, asked once. */
  react(flaw: CbcFlaw): Promise<Outcome<CbcReaction>> {
    const known = this.#known.get(flaw) ?? this.#ask(flaw, { isPatient: false });
    this.#known.set(flaw, known);
    return known;
  }

  /** Asks again, with patience. */
  reactAgain(flaw: CbcFlaw): Promise<Outcome<CbcReaction>> {
    return this.#ask(flaw, { isPatient: true });
  }

  /**
   * Why a reaction may have nothing to do with what was wrong: a server that ends every connection like this one, which is
   * seen by a right record. Null where it has; an alert about records needs no more than itself.
   */
  async doubtOf(reaction: Reaction): Promise<string | null> {
    if (ABOUT_RECORDS.has(reaction)) return null;
    const control = await this.react('none');
    if (control.kind !== 'used') return `a right one could not be tried: ${control.reason}`;
    const { reaction: usual, asksForCertificate } = control.value;
    if (usual === NO_OBJECTION || usual === SILENCE) return null;
    return `a right one is answered by ${usual}${asksForCertificate ? ', after it asked for a certificate of the client' : ''}`;
  }

  #ask(flaw: CbcFlaw, options: { isPatient: boolean }): Promise<Outcome<CbcReaction>> {
    return this.#conversations.hold(async opened => {
      const reaction = await provoke(opened, flaw, this.#timeoutMs, options);
      const { protocol, suite, flight } = opened;
      const asks = asksForCertificate(flight);
      return { reaction, protocol, suite, isSuspect: isSuspect(suite), asksForCertificate: asks };
    });
  }
}

/** Completes a handshake, sends the wrong record, and looks what comes. */
async function provoke(
  opened: Opened,
  flaw: CbcFlaw,
  timeoutMs: number,
  options: { isPatient: boolean },
): Promise<Reaction> {
  if (flaw === 'no-mac' && MODERN_GROUPS.includes(groupOf(opened.flight, opened.suite))) return SPARED;
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
