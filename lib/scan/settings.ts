import type { CheckId } from '../model/checks';
import type { Endpoint } from '../model/endpoint';
import type { EndpointReport, RunSummary } from '../model/report';
import type { WeakFrom } from '../model/weak-suites';

/** How servers are asked; the properties of certdesk-ssl-scan in docs/contract.md. Plain data: it travels to worker threads. */
export interface ScanSettings {
  /** Connections at once in one scan. */
  concurrency: number;
  /** Connections at once to one address. */
  perHost: number;
  /** Limit of each wait: connect, answer, handshake. */
  timeoutMs: number;
  profile: 'quick' | 'full';
  /** Checks to make; empty = those of the profile. The others say `skipped`. */
  checks: CheckId[];
  /**
   * What is worth a complete list of weak suites in profile `quick`, which else finds one of each kind: a check of
   * these that is `vulnerable`, or a suite of the class. Null: nothing is.
   */
  completeFor: { findings: readonly CheckId[]; weakFrom: WeakFrom } | null;
  /** Further trust anchors as PEM texts, beside the runtime's own and NODE_EXTRA_CA_CERTS. */
  ca: string[];
}

export const DEFAULT_SCAN_SETTINGS: Readonly<ScanSettings> = {
  concurrency: 100,
  perHost: 4,
  timeoutMs: 10_000,
  profile: 'quick',
  checks: [],
  completeFor: null,
  ca: [],
};

/** What a running scan tells; called on the main thread, in order, never after `finished`. */
export interface ScanCallbacks {
  /** Before the first report of a place: all its endpoints that will be reported. `total` is how many the scan has. */
  onPlace(endpoints: Endpoint[], total: number): void;
  /** Once per endpoint, as soon as it is known. */
  onReport(report: EndpointReport, isLast: boolean): void;
}

/** A running scan. */
export interface Scan {
  readonly runId: string;
  /**
   * Ends it within a second: what is in flight, or waits at a place of which something was begun, is reported
   * `unreachable`, reason `STOPPED`. What was not begun is not reported, and only counts as unreachable in the summary.
   */
  stop(): void;
  /** Resolves after the last report was handed over. Nothing that a server or resolver does makes it reject. */
  readonly finished: Promise<Omit<RunSummary, 'vulnerable'>>;
}
