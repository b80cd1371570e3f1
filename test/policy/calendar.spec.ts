import assert from 'node:assert/strict';
import { isFrequencyDue } from '../../lib/policy/calendar';
import type { Frequency } from '../../lib/policy/settings';

describe('isFrequencyDue', () => {
  const cases: [frequency: Frequency, timeZone: string, lastAt: string, now: string, due: boolean][] = [
    ['every-run', 'UTC', '2026-06-01T10:00:00Z', '2026-06-01T10:00:00Z', true],
    ['daily', 'UTC', '2026-06-01T00:00:00Z', '2026-06-01T23:59:59Z', false],
    ['daily', 'UTC', '2026-06-01T23:59:59Z', '2026-06-02T00:00:00Z', true],
    // midnight in Berlin is 22:00 UTC in summer
    ['daily', 'Europe/Berlin', '2026-06-01T21:59:00Z', '2026-06-01T22:00:00Z', true],
    ['daily', 'Europe/Berlin', '2026-06-01T22:00:00Z', '2026-06-02T21:59:00Z', false],
    // 23 hours from midnight to midnight where summer time begins, 25 where it ends
    ['daily', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', true],
    ['daily', 'Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T22:59:00Z', false],
    ['daily', 'Pacific/Kiritimati', '2026-06-01T09:59:00Z', '2026-06-01T10:00:00Z', true],
    ['weekly', 'UTC', '2026-06-01T23:00:00Z', '2026-06-07T23:59:00Z', false],
    ['weekly', 'UTC', '2026-06-01T23:00:00Z', '2026-06-08T00:00:00Z', true],
    ['monthly', 'UTC', '2026-06-15T12:00:00Z', '2026-07-14T23:59:00Z', false],
    ['monthly', 'UTC', '2026-06-15T12:00:00Z', '2026-07-15T00:00:00Z', true],
    ['monthly', 'UTC', '2026-01-31T12:00:00Z', '2026-02-27T12:00:00Z', false],
    ['monthly', 'UTC', '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z', true],
    ['monthly', 'UTC', '2028-01-31T12:00:00Z', '2028-02-28T12:00:00Z', false],
    ['monthly', 'UTC', '2026-12-05T12:00:00Z', '2027-01-05T00:00:00Z', true],
    [3, 'UTC', '2026-06-01T23:00:00Z', '2026-06-03T23:59:00Z', false],
    [3, 'UTC', '2026-06-01T23:00:00Z', '2026-06-04T00:00:00Z', true],
    // a clock set back by minutes over midnight repeats nothing, one that was wrong by years silences nothing
    ['daily', 'UTC', '2026-06-02T00:05:00Z', '2026-06-01T23:55:00Z', false],
    ['weekly', 'UTC', '2031-01-01T00:00:00Z', '2026-06-01T00:00:00Z', true],
  ];
  for (const [frequency, timeZone, lastAt, now, due] of cases) {
    it(`${due ? 'is' : 'is not'} due: ${frequency} in ${timeZone}, told ${lastAt}, now ${now}`, () => {
      assert.equal(isFrequencyDue(frequency, timeZone, lastAt, new Date(now)), due);
    });
  }
});
