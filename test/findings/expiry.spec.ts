import assert from 'node:assert/strict';
import { isDue } from '../../lib/findings/expiry';
import { DEFAULT_EXPIRY_SETTINGS } from '../../lib/findings/settings';
import { selectPlaces } from '../../lib/findings/selection';
import { certificate, endpoint } from './samples';

describe('isDue', () => {
  const NOW = new Date('2026-06-01T00:00:00.000Z');
  const cases: { from: string; to: string; days?: number; percent?: number; due: boolean }[] = [
    { from: '2026-05-01T00:00:00Z', to: '2026-07-01T00:00:00Z', due: true },
    { from: '2026-05-01T00:00:00Z', to: '2026-07-01T00:00:01Z', due: false },
    { from: '2026-05-01T00:00:00Z', to: '2026-06-01T00:00:00Z', days: 0, due: true },
    { from: '2026-05-01T00:00:00Z', to: '2026-06-01T00:00:01Z', days: 0, due: false },
    { from: '2025-05-01T00:00:00Z', to: '2026-01-01T00:00:00Z', due: true },
    // six days, 33 % = 1.98 days
    { from: '2026-05-28T00:00:00Z', to: '2026-06-03T00:00:00Z', percent: 33, due: false },
    { from: '2026-05-27T01:00:00Z', to: '2026-06-02T01:00:00Z', percent: 33, due: true },
    // a year, 33 % = 120 days: 30 days are less
    { from: '2025-07-15T00:00:00Z', to: '2026-07-15T00:00:00Z', percent: 33, due: false },
    { from: '2025-06-20T00:00:00Z', to: '2026-06-20T00:00:00Z', percent: 33, due: true },
    // a year, 100 days window, 10 % = 36.5 days
    { from: '2025-07-15T00:00:00Z', to: '2026-07-15T00:00:00Z', days: 100, percent: 10, due: false },
    { from: '2025-07-07T00:00:00Z', to: '2026-07-07T00:00:00Z', days: 100, percent: 10, due: true },
  ];
  for (const { from, to, days = 30, percent = null, due } of cases) {
    it(`${due ? 'is' : 'is not'} due: ${from} to ${to}, ${days} days, ${percent ?? 'no'} percent`, () => {
      const settings = { ...DEFAULT_EXPIRY_SETTINGS, days, percent };
      assert.equal(isDue(certificate('01', { notBefore: from, notAfter: to }), settings, NOW), due);
    });
  }
});

describe('selectPlaces', () => {
  const places = [endpoint(443), endpoint(443, { domain: 'mail.example', ip: '192.0.2.8' })];
  const cases: { include?: string[]; exclude?: string[]; left: string[] | null }[] = [
    { left: ['192.0.2.7', '192.0.2.8'] },
    { include: ['MAIL.*'], left: ['192.0.2.8'] },
    { include: ['mail'], left: null },
    { include: ['192.0.2.7'], left: ['192.0.2.7'] },
    { include: ['shop.example'], left: ['192.0.2.7', '192.0.2.8'] },
    { include: ['*test ca*'], left: ['192.0.2.7', '192.0.2.8'] },
    { exclude: ['mail.example'], left: ['192.0.2.7'] },
    { exclude: ['192.0.2.*'], left: null },
    { exclude: ['0a1'], left: null },
    { exclude: ['mail.example@192.0.2.8:443'], left: ['192.0.2.7'] },
    { include: ['*.example'], exclude: ['shop.example'], left: null },
  ];
  for (const { include = [], exclude = [], left } of cases) {
    it(`leaves ${left?.join(' and ') ?? 'nothing'} of include [${include.join()}] exclude [${exclude.join()}]`, () => {
      const selected = selectPlaces({ include, exclude })(certificate('0A1'), places);
      assert.deepEqual(selected?.map(({ ip }) => ip) ?? null, left);
    });
  }
});
