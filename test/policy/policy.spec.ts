import assert from 'node:assert/strict';
import type { Finding, Notification } from '../../lib/model/finding';
import { Policy } from '../../lib/policy/policy';
import { DEFAULT_POLICY_SETTINGS, type PolicySettings } from '../../lib/policy/settings';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { cipher, endpoint } from '../findings/samples';
import { expiry, vulnerability } from './samples';

describe('Policy', () => {
  let repository: Repository;
  let now: Date;
  let settings: PolicySettings;
  beforeEach(async () => {
    repository = await openRepository({ kind: 'sqlite', path: ':memory:' });
    settings = { ...DEFAULT_POLICY_SETTINGS, thresholds: [] };
  });
  afterEach(() => repository.close());

  /** A new object each time, so that only the repository remembers. */
  const policy = (memory = 'm'): Policy => new Policy({ repository, memory, settings, now: () => now });
  const tell = (at: string, finding: Finding, options = { forced: false }): Promise<Notification | null> => {
    now = new Date(at);
    return policy().handle(finding, options);
  };
  const reason = async (at: string, finding: Finding, options = { forced: false }): Promise<string | null> => {
    const told = await tell(at, finding, options);
    return told === null ? null : told.threshold === null ? told.reason : `${told.reason} ${told.threshold}`;
  };
  const END = '2026-07-01T00:00:00.000Z';

  it('says new, standing, due, with count and time, across restarts', async () => {
    assert.deepEqual(await tell('2026-06-01T10:00:00Z', expiry(END)), {
      reason: 'new',
      threshold: null,
      count: 1,
      lastAt: null,
    });
    assert.deepEqual(await tell('2026-06-01T23:59:00Z', expiry(END)), {
      reason: 'standing',
      threshold: null,
      count: 1,
      lastAt: '2026-06-01T10:00:00.000Z',
    });
    assert.deepEqual(await tell('2026-06-02T00:00:00Z', expiry(END)), {
      reason: 'due',
      threshold: null,
      count: 2,
      lastAt: '2026-06-01T10:00:00.000Z',
    });
  });

  describe('what did not go out before an end', () => {
    const given = expiry(END, { runId: 'r1' });
    const next = expiry(END, { runId: 'r2' });
    const said = async (who: Policy, finding: Finding): Promise<string | undefined> =>
      (await who.handle(finding, { forced: false }))?.reason;
    beforeEach(() => {
      settings = { ...settings, frequency: 'weekly' };
      now = new Date('2026-06-01T10:00:00Z');
    });

    it('is told again by the next run', async () => {
      const first = policy();
      assert.equal(await said(first, given), 'new');
      first.close();
      assert.equal(await said(policy(), next), 'new');
    });
    it('is not told again once it was confirmed', async () => {
      const first = policy();
      await said(first, given);
      await first.confirm(given.key);
      first.close();
      assert.equal(await said(policy(), next), 'standing');
    });
    it('counts as told while the one that told it goes on', async () => {
      const first = policy();
      await said(first, given);
      assert.equal(await said(first, next), 'standing');
    });
    it('gets the same answer again from the same run', async () => {
      const first = policy();
      await said(first, given);
      first.close();
      assert.equal(await said(policy(), given), 'new');
    });
    it('falls back to what was told before, not to nothing', async () => {
      const first = policy();
      await said(first, given);
      await first.confirm(given.key);
      now = new Date('2026-06-08T10:00:00Z');
      const again = policy();
      assert.equal((await again.handle(next, { forced: false }))?.count, 2);
      again.close();
      const last = await policy().handle(expiry(END, { runId: 'r3' }), { forced: false });
      assert.deepEqual([last?.reason, last?.count, last?.lastAt], ['due', 2, '2026-06-01T10:00:00.000Z']);
    });
    it('is cleared again too', async () => {
      const first = policy();
      await said(first, given);
      await first.confirm(given.key);
      assert.equal(await said(first, expiry(END, { runId: 'r2', state: 'cleared' })), 'cleared');
      first.close();
      assert.equal(await said(policy(), expiry(END, { runId: 'r3', state: 'cleared' })), 'cleared');
    });
  });

  it('is due when asked for by hand, whatever the frequency', async () => {
    settings = { ...settings, frequency: 'weekly' };
    await tell('2026-06-01T10:00:00Z', expiry(END));
    assert.equal(await reason('2026-06-01T11:00:00Z', expiry(END), { forced: true }), 'due');
    assert.equal(await reason('2026-06-01T12:00:00Z', expiry(END, { forced: true })), 'due');
    assert.equal(await reason('2026-06-02T12:00:00Z', expiry(END)), 'standing');
  });

  it('gives the same key, state and run the same answer', async () => {
    const finding = expiry(END);
    const first = await tell('2026-06-01T10:00:00Z', finding);
    assert.deepEqual(await tell('2026-06-03T10:00:00Z', finding), first);
    assert.equal(await reason('2026-06-03T11:00:00Z', expiry(END)), 'due');
    const cleared = { ...finding, state: 'cleared' } as const;
    assert.equal(await reason('2026-06-03T12:00:00Z', cleared), 'cleared');
  });

  it('decides many at once in their order, the same key one after the other', async () => {
    now = new Date('2026-06-01T10:00:00Z');
    const one = policy();
    const told = await Promise.all([expiry(END), expiry(END), expiry(END)].map(f => one.handle(f, { forced: false })));
    assert.deepEqual(
      told.map(each => each?.reason),
      ['new', 'standing', 'standing'],
    );
  });

  it('decides once between two policies that share a memory', async () => {
    now = new Date('2026-06-01T10:00:00Z');
    const told = await Promise.all([policy(), policy()].map(each => each.handle(expiry(END), { forced: false })));
    assert.deepEqual(told.map(each => each?.reason).toSorted(), ['new', 'standing']);
    assert.equal((await policy('other').handle(expiry(END), { forced: false }))?.reason, 'new');
  });

  it('fires each threshold once, several passed at a time as one, the closest', async () => {
    settings = { ...settings, frequency: 'monthly', thresholds: [60, 30, 14, 7, 3, 1, 0, -7] };
    const days: [string, string][] = [
      ['2026-05-12T00:00:00Z', 'new'], // 50 days: 60 is used up
      ['2026-05-31T23:59:59Z', 'standing'], // 30 days and a second
      ['2026-06-01T00:00:00Z', 'worse 30'],
      ['2026-06-01T01:00:00Z', 'standing'],
      ['2026-06-25T00:00:00Z', 'worse 7'], // 14 was passed meanwhile
      ['2026-06-26T00:00:00Z', 'standing'],
      ['2026-07-01T00:00:00Z', 'worse 0'],
      ['2026-07-07T23:59:59Z', 'standing'],
      ['2026-07-08T00:00:00Z', 'worse -7'],
      ['2026-08-07T00:00:00Z', 'standing'],
      ['2026-08-08T00:00:00Z', 'due'], // a month after
    ];
    for (const [at, expected] of days) assert.equal(await reason(at, expiry(END)), expected, at);
  });

  it('tells every run below so many days', async () => {
    settings = { ...settings, frequency: 'weekly', everyRunBelowDays: 7 };
    const days: [string, string][] = [
      ['2026-06-23T23:00:00Z', 'new'],
      ['2026-06-24T00:00:00Z', 'standing'], // 7 days
      ['2026-06-24T00:00:01Z', 'due'],
      ['2026-06-24T00:00:02Z', 'due'],
    ];
    for (const [at, expected] of days) assert.equal(await reason(at, expiry(END)), expected, at);
  });

  it('says worse of what was not known when last told, and of nothing else', async () => {
    settings = { ...settings, frequency: 'weekly' };
    const both = vulnerability(['rc4', 'sslv3']);
    assert.equal(await reason('2026-06-01T10:00:00Z', vulnerability(['rc4'])), 'new');
    assert.equal(await reason('2026-06-01T11:00:00Z', both), 'worse');
    assert.equal(await reason('2026-06-01T12:00:00Z', vulnerability(['sslv3'])), 'standing');
    assert.equal(await reason('2026-06-01T13:00:00Z', vulnerability(['rc4', 'sslv3'])), 'standing');
    assert.equal(await reason('2026-06-01T14:00:00Z', vulnerability(['rc4', 'sslv3'], {}, [cipher('rc4')])), 'worse');
  });

  it('tells clearing once each time, and what comes back as new', async () => {
    const cleared = (): Finding => expiry(END, { state: 'cleared' });
    const days: [string, Finding, string][] = [
      ['2026-06-01T10:00:00Z', cleared(), 'standing'],
      ['2026-06-01T11:00:00Z', expiry(END), 'new'],
      ['2026-06-01T12:00:00Z', cleared(), 'cleared'],
      ['2026-06-03T12:00:00Z', cleared(), 'standing'],
      ['2026-06-03T13:00:00Z', expiry(END), 'new'],
      ['2026-06-03T14:00:00Z', cleared(), 'cleared'],
    ];
    for (const [at, finding, expected] of days) assert.equal(await reason(at, finding), expected, at);
  });

  it('says standing of what can not be told, forced or not', async () => {
    settings = { ...settings, frequency: 'every-run' };
    const unknown = (): Finding => vulnerability(['rc4'], { state: 'unknown' });
    assert.equal(await reason('2026-06-01T10:00:00Z', unknown(), { forced: true }), 'standing');
    await tell('2026-06-01T11:00:00Z', vulnerability(['rc4']));
    assert.equal(await reason('2026-06-02T11:00:00Z', unknown()), 'standing');
  });

  it('is silent while snoozed, forced or worse, but tells that it cleared', async () => {
    const { key } = vulnerability([]);
    await tell('2026-06-01T10:00:00Z', vulnerability(['rc4']));
    await policy().snooze({ key, until: '2026-06-05' });
    assert.equal(await reason('2026-06-04T23:59:59Z', vulnerability(['rc4', 'sslv3']), { forced: true }), null);
    assert.equal(await reason('2026-06-04T23:59:59Z', vulnerability(['rc4'], { state: 'unknown' })), null);
    assert.equal(await reason('2026-06-05T00:00:00Z', vulnerability(['rc4', 'sslv3'])), 'worse');
    await policy().snooze({ key, until: '2026-07-01' });
    assert.equal(await reason('2026-06-06T00:00:00Z', vulnerability([], { state: 'cleared' })), 'cleared');
    await assert.rejects(policy().snooze({ key, until: 'soon' }), { code: 'BAD_MESSAGE' });
    await assert.rejects(policy().snooze({ key: 'No Key', until: '2026-07-01' }), { code: 'BAD_MESSAGE' });
  });

  it('is silent while acknowledged, until it gets worse or has cleared', async () => {
    const { key } = vulnerability([]);
    await tell('2026-06-01T10:00:00Z', vulnerability(['rc4']));
    await policy().acknowledge({ key });
    assert.equal(await reason('2026-06-09T10:00:00Z', vulnerability(['rc4']), { forced: true }), null);
    assert.equal(await reason('2026-06-10T10:00:00Z', vulnerability(['rc4', 'sslv3'])), 'worse');
    assert.equal(await reason('2026-06-11T10:00:00Z', vulnerability(['rc4'])), null);
    assert.equal(await reason('2026-06-12T10:00:00Z', vulnerability([], { state: 'cleared' })), 'cleared');
    assert.equal(await reason('2026-06-13T10:00:00Z', vulnerability(['rc4'])), 'new');
  });

  it('takes a closer threshold for worse than what was acknowledged', async () => {
    settings = { ...settings, thresholds: [30, 7] };
    await tell('2026-06-03T00:00:00Z', expiry(END));
    await policy().acknowledge({ key: expiry(END).key, until: '2026-12-01' });
    assert.equal(await reason('2026-06-10T00:00:00Z', expiry(END)), null);
    assert.equal(await reason('2026-06-24T00:00:00Z', expiry(END)), 'worse 7');
  });

  it('acknowledges what was never told as it is first seen', async () => {
    await policy().acknowledge({ key: vulnerability([]).key });
    assert.equal(await reason('2026-06-01T10:00:00Z', vulnerability(['rc4'])), null);
    assert.equal(await reason('2026-06-02T10:00:00Z', vulnerability(['rc4', 'sslv3'])), 'new');
  });

  it('leaves out what is excluded or not included, except that it cleared', async () => {
    await tell('2026-06-01T10:00:00Z', expiry(END));
    settings = { ...settings, exclude: ['192.0.2.*'] };
    assert.equal(await reason('2026-06-02T10:00:00Z', expiry(END)), null);
    assert.equal(await reason('2026-06-03T10:00:00Z', expiry(END, { state: 'cleared' })), 'cleared');
    settings = { ...settings, exclude: [], include: ['*.other.example'] };
    assert.equal(await reason('2026-06-04T10:00:00Z', expiry(END)), null);
  });

  for (const what of ['key', 'place'] as const) {
    it(`retires a ${what}: told as cleared once, then left out until unretired`, async () => {
      const finding = vulnerability(['rc4']);
      const keyOrPlace = what === 'key' ? finding.key : 'shop.example@192.0.2.7';
      const activeAt = '2026-06-01T10:00:00.000Z';
      await repository.saveFindings([
        { finding, place: 'shop.example@192.0.2.7', causes: ['192.0.2.7:443 rc4'], activeAt, clearedAt: null },
      ]);
      await tell(activeAt, finding);
      const [ended, ...more] = await policy().retire(keyOrPlace);
      assert.deepEqual(more, []);
      assert.deepEqual([ended?.key, ended?.state], [finding.key, 'cleared']);
      assert.notEqual(ended?.runId, finding.runId);
      assert.deepEqual(await policy().retire(keyOrPlace), []);
      assert.equal(await reason('2026-06-03T10:00:00Z', vulnerability(['rc4'])), null);
      await policy().unretire(keyOrPlace);
      assert.equal(await reason('2026-06-04T10:00:00Z', vulnerability(['rc4'])), 'new');
    });
  }

  it('goes on telling a certificate that one retired place of two had', async () => {
    await policy().retire('shop.example@192.0.2.7');
    const other = endpoint(443, { ip: '192.0.2.8' });
    assert.equal(await reason('2026-06-01T10:00:00Z', expiry(END, { endpoints: [endpoint(), other] })), 'new');
    assert.equal(await reason('2026-06-02T10:00:00Z', expiry(END)), null);
  });

  it('refuses a damaged Finding without harm to the others', async () => {
    now = new Date('2026-06-01T10:00:00Z');
    const one = policy();
    const damaged = { ...vulnerability([]), key: 'cd-vul-damaged', vulnerabilities: 7 } as unknown as Finding;
    const [bad, good] = await Promise.allSettled([damaged, expiry(END)].map(f => one.handle(f, { forced: false })));
    assert.equal(bad?.status === 'rejected' && (bad.reason as { code: string }).code, 'BAD_MESSAGE');
    assert.equal(good?.status === 'fulfilled' && good.value?.reason, 'new');
  });
});
