import type { Line } from './line';
import type { Reply, Unknown } from './reply';

/** Endings taken for a refusal in a row, no answer between, before it is looked whether anything is still answered. */
const MOST_IN_A_ROW = 8;

/** So often in a row something known had no answer either: then nothing is asked again until something is answered. */
const MOST_UNANSWERED = 2;

/** A server that was asked too often gets a moment. */
const PAUSE_MS = 200;
/** One that has a limit of open connections may not know yet that the last one has ended. */
const SHORT_PAUSE_MS = 20;

/** What one kind of ending was found to mean. */
interface Meaning {
  is: 'refusal' | 'limit' | null;
  /** It was taken at its word. */
  hasTrusted: boolean;
}

/**
 * What it means that a server ends a question by a close, a reset or an odd alert: OpenSSL before 1.0.2 says no by closing,
 * others by a reset, and any server may end so what goes over its limit of connections.
 */
export class Closings {
  /** By its word: close and reset have the same one, since which of them it is hangs on what the server had read. */
  readonly #meanings = new Map<string, Meaning>();
  /** Taken at their word since the last answer. */
  #unproven = 0;
  /** Something known had no answer after endings were taken at their word. */
  #isDisproved = false;
  /** Questions for something known that had no answer, since the last answer. */
  #unanswered = 0;

  /** @param askKnown asks something that had an answer before, and tells whether it has one now */
  constructor(
    private readonly line: Line,
    private readonly askKnown: () => Promise<boolean>,
  ) {}

  /** Something was answered, which vouches for what was refused before. */
  answered(): void {
    this.#unproven = 0;
    this.#unanswered = 0;
  }

  /**
   * An ending counts as no when it comes again while nothing else is asked, and something known is still answered after it.
   * From then on endings of its kind are taken at their word, but not many in a row, until `isTrustworthy` looks back.
   */
  async judge<T>(first: Unknown, askAgain: () => Promise<T | Reply>): Promise<T | Reply> {
    const refused: Reply = { kind: 'refused', reason: first.reason, alert: null };
    const meaning = this.#meaningOf(first);
    if (this.#isRefusal(meaning) && (await this.#mayTrust())) {
      meaning.hasTrusted = true;
      return refused;
    }
    return this.line.alone(async () => {
      if (this.#unanswered >= MOST_UNANSWERED) return first;
      let again: T | Reply = first;
      for (const pauseMs of meaning.is === 'limit' ? [SHORT_PAUSE_MS, PAUSE_MS] : [PAUSE_MS]) {
        await this.line.pause(pauseMs);
        again = await askAgain();
        if (!isSame(again, first)) break;
      }
      if (!isUnknown(again)) meaning.is = 'limit';
      if (!isSame(again, first)) return again;
      if (this.#isRefusal(meaning)) return refused; // another one was found to be one meanwhile
      if (!(await this.#isStillAnswered())) return again;
      meaning.is ??= 'refusal';
      return refused;
    });
  }

  /** Whether what was taken for a refusal can be believed: the server still answers, and has no limit that was met. */
  async isTrustworthy(): Promise<boolean> {
    const isRefuted = [...this.#meanings.values()].some(({ is, hasTrusted }) => hasTrusted && is === 'limit');
    if (isRefuted || this.#isDisproved) return false;
    return this.#unproven === 0 || this.#isStillAnswered();
  }

  async #isStillAnswered(): Promise<boolean> {
    const isAnswered = await this.askKnown();
    if (!isAnswered) this.#unanswered += 1;
    return isAnswered;
  }

  #meaningOf({ word }: Unknown): Meaning {
    const known = this.#meanings.get(word);
    if (known !== undefined) return known;
    const meaning: Meaning = { is: null, hasTrusted: false };
    this.#meanings.set(word, meaning);
    return meaning;
  }

  #isRefusal(meaning: Meaning): boolean {
    return meaning.is === 'refusal' && !this.#isDisproved;
  }

  /** Counts one more that is taken at its word, and after many of them makes sure that the server still answers. */
  async #mayTrust(): Promise<boolean> {
    this.#unproven += 1;
    if (this.#unproven <= MOST_IN_A_ROW) return true;
    this.#unproven = 1;
    if (!(await this.#isStillAnswered())) this.#isDisproved = true;
    return !this.#isDisproved;
  }
}

/** Whether a question ended by a bare close. */
export function isClosed(outcome: unknown): outcome is Unknown {
  return isUnknown(outcome) && outcome.how === 'closed';
}

function isSame(outcome: unknown, { word }: Unknown): boolean {
  return isUnknown(outcome) && outcome.word === word;
}

function isUnknown(outcome: unknown): outcome is Unknown {
  return (outcome as Partial<Unknown>).kind === 'unknown';
}
