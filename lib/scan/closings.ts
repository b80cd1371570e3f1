import type { Line } from './line';
import type { Reply, Unknown } from './reply';

/**
 * What it means that a server closes without an alert: OpenSSL before 1.0.2 says no in that way, and any server may end so
 * what goes over its limit of connections.
 */
export class Closings {
  /** Found out by asking again. */
  #meaning: 'refusal' | 'limit' | null = null;
  /** A close was taken at its word; and no answer has come since. */
  #hasTrusted = false;
  #isUnproven = false;

  /** @param isStillAnswered asks something that had an answer before */
  constructor(
    private readonly line: Line,
    private readonly isStillAnswered: () => Promise<boolean>,
  ) {}

  /** Something was answered, which vouches for what was refused before. */
  answered(): void {
    this.#isUnproven = false;
  }

  /**
   * A close counts as no when it comes again while nothing else is asked, and something known is still answered after it.
   * From then on closes are taken at their word, until `isTrustworthy` looks back.
   */
  async judge<T>(first: Unknown, askAgain: () => Promise<T | Reply>): Promise<T | Reply> {
    const refused: Reply = { kind: 'refused', reason: first.reason, alert: null };
    if (this.#meaning === 'refusal') {
      this.#hasTrusted = true;
      this.#isUnproven = true;
      return refused;
    }
    return this.line.alone(async () => {
      const again = await askAgain();
      if (!isUnknown(again)) this.#meaning = 'limit';
      if (!isClosed(again)) return again;
      if (this.#meaning === 'refusal') return refused; // another one was found to be one meanwhile
      if (!(await this.isStillAnswered())) return again;
      this.#meaning ??= 'refusal';
      return refused;
    });
  }

  /** Whether what was taken for a refusal can be believed: the server still answers, and has no limit that was met. */
  async isTrustworthy(): Promise<boolean> {
    if (this.#hasTrusted && this.#meaning === 'limit') return false;
    return !this.#isUnproven || this.isStillAnswered();
  }
}

/** Whether a question ended by a bare close. */
export function isClosed(outcome: unknown): outcome is Unknown {
  return isUnknown(outcome) && outcome.how === 'closed';
}

function isUnknown(outcome: unknown): outcome is Unknown {
  return (outcome as Partial<Unknown>).kind === 'unknown';
}
