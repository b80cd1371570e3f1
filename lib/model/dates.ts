const DAY_MS = 24 * 60 * 60 * 1000;

/** Whole days until `notAfter`, rounded down: 0 on the last day, negative once it has passed. */
export function daysLeft(notAfter: string, now: Date): number {
  return Math.floor((Date.parse(notAfter) - now.getTime()) / DAY_MS);
}

/** Whether what ends at `notAfter` does so within `days` times 24 hours of `now`. */
export function isWithinDays(notAfter: string, days: number, now: Date): boolean {
  return Date.parse(notAfter) - now.getTime() <= days * DAY_MS;
}

const DATE = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'short', day: 'numeric', year: 'numeric' });

/** `MMM d, yyyy` in English and UTC, as the standard texts have it: `Feb 25, 2020`. */
export function formatDate(iso: string): string {
  return DATE.format(new Date(iso));
}

/** `Feb 11, 2020 14:05 UTC`. */
export function formatTime(iso: string): string {
  return `${formatDate(iso)} ${new Date(iso).toISOString().slice(11, 16)} UTC`;
}
