import { CertDeskError } from '../model/errors';

/** Why nothing may be sent now: the helpdesk asked for a pause, or what was sent for a key may still arrive. */
export class HoldUps {
  private pause: { until: number; error: CertDeskError } | null = null;
  /** Until when, by key, in milliseconds since the epoch: see Hold.keepFor. */
  private readonly settling = new Map<string, number>();

  constructor(private readonly now: () => Date) {}

  /** Takes to heart how long a helpdesk asks not to be bothered. */
  heed(error: CertDeskError): void {
    if (error.code !== 'RATE_LIMITED' || error.retryAfterMs === undefined) return;
    this.pause = { until: this.now().getTime() + error.retryAfterMs, error };
  }

  /** Something was sent for a key that may still arrive within `ms`. */
  settle(key: string, ms: number): void {
    this.settling.set(key, this.now().getTime() + ms);
  }

  /** How long a key settles yet, in milliseconds. */
  settlesFor(key: string): number {
    const leftMs = (this.settling.get(key) ?? 0) - this.now().getTime();
    if (leftMs <= 0) this.settling.delete(key);
    return Math.max(0, leftMs);
  }

  /** The pause that the helpdesk asked for, with what is left of it; null when there is none. */
  paused(): CertDeskError | null {
    const leftMs = (this.pause?.until ?? 0) - this.now().getTime();
    if (this.pause === null || leftMs <= 0) return null;
    const { code, message } = this.pause.error;
    return new CertDeskError(code, message, { retryAfterMs: leftMs });
  }

  /** What holds up a key; null when nothing does. */
  of(key: string): CertDeskError | null {
    const leftMs = this.settlesFor(key);
    return this.paused() ?? (leftMs === 0 ? null : settling(leftMs));
  }
}

function settling(leftMs: number): CertDeskError {
  return new CertDeskError(
    'TIMEOUT',
    'What was sent for this ticket got no answer and may still arrive. It is looked for, and tried again, by itself.',
    { retryAfterMs: leftMs },
  );
}
