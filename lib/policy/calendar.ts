import type { Frequency } from './settings';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A calendar day as its number since 1970-01-01. */
type Day = number;

/**
 * Whether the frequency lets something told at `lastAt` be told again at `now`, by calendar days of a time zone.
 * A `lastAt` more than a day ahead comes from a clock that was wrong and silences nothing.
 */
export function isFrequencyDue(frequency: Frequency, timeZone: string, lastAt: string, now: Date): boolean {
  if (frequency === 'every-run') return true;
  const last = dayIn(timeZone, new Date(lastAt));
  const today = dayIn(timeZone, now);
  if (last > today + 1) return true;
  if (frequency === 'monthly') return today >= monthAfter(last);
  const days = frequency === 'daily' ? 1 : frequency === 'weekly' ? 7 : frequency;
  return today - last >= days;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dayIn(timeZone: string, time: Date): Day {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' });
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'] ?? 1) / DAY_MS;
}

/** The same day of the next month, or that month's last day where it is shorter. */
function monthAfter(day: Day): Day {
  const date = new Date(day * DAY_MS);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + 1];
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(date.getUTCDate(), lastOfMonth)) / DAY_MS;
}
