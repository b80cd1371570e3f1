import type { KnownFinding, Repository } from '../repository/repository';
import { isTellingCleared } from './cleared';

/**
 * Which expiry keys were told of which endpoints, so that a run finds what it may have to clear without reading all
 * that was ever found. Read once, then kept in step with what is saved.
 */
export class KnownKeys {
  private readonly byName = new Map<string, Set<string>>();
  private readonly namesOf = new Map<string, string[]>();
  private loaded: Promise<void> | null = null;

  constructor(
    private readonly repository: Pick<Repository, 'findings'>,
    private readonly now: () => Date,
  ) {}

  /** Keys told of any of these endpoints, by name. Throws REPOSITORY. */
  async of(names: readonly string[]): Promise<string[]> {
    await this.load();
    return [...new Set(names.flatMap(name => [...(this.byName.get(name) ?? [])]))];
  }

  async all(): Promise<string[]> {
    await this.load();
    return [...this.namesOf.keys()];
  }

  /** Takes findings as they are kept now. */
  update(found: readonly KnownFinding[]): void {
    const now = this.now();
    for (const { finding, clearedAt } of found) {
      this.forget(finding.key);
      if (clearedAt !== null && !isTellingCleared(clearedAt, now)) continue;
      const names = finding.endpoints.map(endpoint => endpoint.name);
      this.namesOf.set(finding.key, names);
      for (const name of names) this.byName.set(name, (this.byName.get(name) ?? new Set()).add(finding.key));
    }
  }

  private forget(key: string): void {
    for (const name of this.namesOf.get(key) ?? []) {
      const keys = this.byName.get(name);
      keys?.delete(key);
      if (keys?.size === 0) this.byName.delete(name);
    }
    this.namesOf.delete(key);
  }

  private load(): Promise<void> {
    this.loaded ??= this.repository.findings({ kind: 'expiry' }).then(
      found => this.update(found),
      (error: unknown) => {
        this.loaded = null; // the next message tries again
        throw error;
      },
    );
    return this.loaded;
  }
}
