import assert from 'node:assert/strict';
import type { Rates } from '../lab/fault-proxy';
import { sharedPostgres } from '../lab/postgres';
import { startRequestTracker } from '../lab/request-tracker';
import { skip } from '../support/skip';
import { runChaos, type ChaosOptions, type ChaosResult } from './driver';
import { fakeHelpdesk, realHelpdesk, type ChaosHelpdesk } from './helpdesk';

const isLong = process.env['CERTDESK_LONG'] === '1';
/** Another one each time in the long tests; `CERTDESK_CHAOS_SEED` repeats one. */
const SEED = Number(process.env['CERTDESK_CHAOS_SEED'] ?? (isLong ? Date.now() % 1_000_000 : 6));
const START_MS = 15 * 60_000;
/** On a machine with nothing else to do the longest takes a quarter of it. */
const LONG_MS = 30 * 60_000;
const LONG_ONLY = 'Chaos at full size: npm run test:long';

type Size = Omit<ChaosOptions, 'helpdesk' | 'seed' | 'rates' | 'log'>;

/** A good tenth of what is sent meets something. */
const RATES: Rates = {
  ...{ 'drop-before': 0.012, 'drop-after': 0.012, 'reset-before': 0.012, 'reset-after': 0.012, 'reset-late': 0.012 },
  ...{ delay: 0.03, 'rate-limited': 0.008, 'error-before': 0.012, 'error-after': 0.012, 'half-body': 0.012 },
};

const log = (line: string): void => console.log(`      ${line}`);

function check(result: ChaosResult, wanted: { keys: number; kills: number; between: number }): void {
  const { kills, wrong, tickets, requests, resent, raised, overdue, seconds } = result;
  const between = kills.filter(kill => kill.isBetween).length;
  log(`seed ${SEED}: ${tickets} tickets, ${requests} requests, ${resent} sent again, ${seconds.toFixed(0)} s`);
  log(`${kills.length} kills, ${between} of them between a change and its read-back; ${overdue} requests overdue`);
  for (const { key, what, trace } of wrong) log([`${key}: ${what}`, ...trace].join('\n        '));
  for (const line of raised.slice(0, 10)) log(`raised: ${line}`);
  assert.equal(kills.length, wanted.kills);
  assert.ok(between >= wanted.between, `${between} kills between a change and its read-back`);
  // A helpdesk slower than the settle time it was given says nothing of the desk.
  if (overdue > 0 && wrong.length > 0) assert.fail(`${overdue} requests took longer than the settle time`);
  assert.deepEqual(
    wrong.map(({ key, what }) => `${key}: ${what}`),
    [],
  );
  assert.deepEqual(raised, []);
  assert.equal(tickets, wanted.keys);
}

describe('exactly once, whatever breaks', () => {
  let helpdesk: ChaosHelpdesk | null = null;
  afterEach(async function () {
    this.timeout(30_000);
    await helpdesk?.stop();
    helpdesk = null;
  });
  const chaos = (on: ChaosHelpdesk, size: Size): Promise<ChaosResult> => {
    helpdesk = on;
    return runChaos({ helpdesk: on, seed: SEED, rates: RATES, log, ...size });
  };
  const real = async (context: Mocha.Context): Promise<ChaosHelpdesk> => {
    const started = await startRequestTracker();
    return 'skipped' in started ? skip(context, `Chaos: ${started.skipped}`) : realHelpdesk(started);
  };
  const slice = { keys: 12, runs: 5, kills: 2, aimedKills: 1, runLimitMs: 240_000 };
  const full = { runs: 10, kills: 20, aimedKills: 10, runLimitMs: 10 * 60_000 };

  it('60 findings of 12 keys, 2 kills, a real Request Tracker', async function () {
    this.timeout(START_MS + 6 * 60_000);
    const result = await chaos(await real(this), { ...slice, settleMs: 3_000, maxDelayMs: 500 });
    check(result, { keys: 12, kills: 2, between: 1 });
  });

  it('60 findings of 12 keys, 2 kills, a fake Request Tracker', async function () {
    if (!isLong && process.getuid?.() === 0) skip(this, 'Chaos with the fake: where there is no real Request Tracker');
    this.timeout(6 * 60_000);
    const result = await chaos(await fakeHelpdesk(), { ...slice, settleMs: 800, maxDelayMs: 400 });
    check(result, { keys: 12, kills: 2, between: 1 });
  });

  it('1,000 findings of 100 keys, 20 kills, a real Request Tracker', async function () {
    if (!isLong) skip(this, LONG_ONLY);
    this.timeout(START_MS + LONG_MS);
    const result = await chaos(await real(this), { ...full, keys: 100, settleMs: 5_000, maxDelayMs: 3_000 });
    check(result, { keys: 100, kills: 20, between: 5 });
  });

  it('5,000 findings of 500 keys, 20 kills, a fake Request Tracker', async function () {
    if (!isLong) skip(this, LONG_ONLY);
    this.timeout(LONG_MS);
    const result = await chaos(await fakeHelpdesk(), { ...full, keys: 500, settleMs: 2_000, maxDelayMs: 1_500 });
    check(result, { keys: 500, kills: 20, between: 5 });
  });

  it('1,000 findings of 100 keys, two Node-REDs on one PostgreSQL, 20 kills', async function () {
    if (!isLong) skip(this, LONG_ONLY);
    this.timeout(LONG_MS);
    const postgres = await sharedPostgres();
    if ('skipped' in postgres) skip(this, `Chaos on PostgreSQL: ${postgres.skipped}`);
    const access = await postgres.takeDatabase();
    const { host, port, database, username, password } = access;
    const repository = {
      properties: { kind: 'postgres', host, port: String(port), database },
      credentials: { username, password },
      options: { kind: 'postgres', ...access } as const,
    };
    const size = { ...full, keys: 100, settleMs: 2_000, maxDelayMs: 1_500, instances: 2, repository };
    const result = await chaos(await fakeHelpdesk(), size);
    await postgres.giveBack(access);
    check(result, { keys: 100, kills: 20, between: 5 });
  });
});
