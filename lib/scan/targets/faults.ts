/** So many are told in full; whoever has more has made one mistake all over the list. */
const IN_FULL = 20;
const MAX_BLOCKS = 100;

/** What is wrong with the lines of a list: the first ones with what to write instead, further ones by their numbers. */
export class Faults {
  readonly #texts: string[] = [];
  readonly #blocks: { first: number; last: number }[] = [];
  #more = 0;
  #isCut = false;

  constructor(private readonly label: 'line' | 'exclude line') {}

  /** Lines come in their order. */
  add(line: number, text: string): void {
    if (this.#texts.length < IN_FULL) {
      this.#texts.push(`${this.label} ${line}: ${text}`);
      return;
    }
    this.#more += 1;
    const block = this.#blocks.at(-1);
    if (block !== undefined && line <= block.last + 1) block.last = line;
    else if (this.#blocks.length < MAX_BLOCKS) this.#blocks.push({ first: line, last: line });
    else this.#isCut = true;
  }

  /** For people, one a line; none where nothing is wrong. */
  get texts(): string[] {
    if (this.#more === 0) return this.#texts;
    const blocks = this.#blocks.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    const lines = `${this.label} ${blocks.join(', ')}${this.#isCut ? ', …' : ''}`;
    return [...this.#texts, `and ${this.#more.toLocaleString('en-US')} more: ${lines}`];
  }
}
