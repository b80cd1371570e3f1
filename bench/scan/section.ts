/** What every section gets. */
export interface SectionOptions {
  /** Fewer endpoints and rounds: to see that everything works, not to quote. */
  isQuick: boolean;
}

/** One part of the bench: measures and prints its table. */
export type Section = (options: SectionOptions) => Promise<void>;
