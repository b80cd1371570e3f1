import assert from 'node:assert/strict';
import type { Endpoint } from '../../lib/model/endpoint';
import { parseTargets, type TargetList } from '../../lib/scan/targets/parse';
import { resolveTargets, type ResolveOptions } from '../../lib/scan/targets/resolve';

/** Endpoints in their order, reasons by endpoint name, and the count told before. */
async function resolve(
  list: TargetList,
  options: ResolveOptions,
): Promise<{ endpoints: Endpoint[]; unresolved: Map<string, string>; count: number }> {
  const places = await resolveTargets(list, options);
  const unresolved = new Map<string, string>();
  const endpoints = [...places].flatMap(place => {
    if (place.reason !== null) for (const { name } of place.endpoints) unresolved.set(name, place.reason);
    return place.endpoints;
  });
  return { endpoints, unresolved, count: places.count };
}

describe('resolveTargets', () => {
  const failing = (code: string) => (): Promise<string[]> =>
    Promise.reject(Object.assign(new Error('no such name'), { code }));

  it('gives every address of a name, each once, in the one way to write it', async () => {
    const lookupAll = (): Promise<string[]> =>
      Promise.resolve(['192.0.2.1', '2001:DB8::1', '192.0.2.1', '2001:db8:0::1', '::ffff:192.0.2.1']);
    const { endpoints, unresolved } = await resolve(parseTargets('a.example:443,8443'), {
      timeoutMs: 1000,
      lookupAll,
    });
    assert.deepEqual(
      endpoints.map(({ name }) => name),
      [
        'a.example@192.0.2.1:443',
        'a.example@192.0.2.1:8443',
        'a.example@[2001:db8::1]:443',
        'a.example@[2001:db8::1]:8443',
      ],
    );
    assert.equal(unresolved.size, 0);
  });

  it('asks for each name once', async () => {
    const asked: string[] = [];
    const lookupAll = (name: string): Promise<string[]> => {
      asked.push(name);
      return Promise.resolve(['192.0.2.1']);
    };
    const list = parseTargets('a.example\nA.example:8443\nsmtp://a.example\nb.example\nc.example@192.0.2.1\n192.0.2.9');
    await resolve(list, { timeoutMs: 1000, lookupAll });
    assert.deepEqual(asked.sort(), ['a.example', 'b.example']);
  });

  it('does not ask for a name that is excluded', async () => {
    const lookupAll = failing('ESHOULDNOTASK');
    const list = parseTargets('a.example\nb.example:8443', { exclude: 'a.example\n*:8443' });
    assert.deepEqual((await resolve(list, { timeoutMs: 1000, lookupAll })).endpoints, []);
  });

  it('tells per endpoint why a name has no address', async () => {
    const list = parseTargets('gone.example:443,8443\n192.0.2.1');
    const { endpoints, unresolved } = await resolve(list, { timeoutMs: 1000, lookupAll: failing('ENOTFOUND') });
    assert.deepEqual(endpoints[0], {
      domain: 'gone.example',
      ip: '',
      port: 443,
      starttls: null,
      name: 'gone.example:443',
    });
    assert.deepEqual(
      [...unresolved],
      [
        ['gone.example:443', 'ENOTFOUND'],
        ['gone.example:8443', 'ENOTFOUND'],
      ],
    );
    assert.equal(endpoints.length, 3);
  });

  it('counts a name without addresses as not found', async () => {
    const { unresolved } = await resolve(parseTargets('a.example'), {
      timeoutMs: 1000,
      lookupAll: () => Promise.resolve([]),
    });
    assert.equal(unresolved.get('a.example:443'), 'ENOTFOUND');
  });

  it('gives up on a resolver that does not answer', async () => {
    const { unresolved } = await resolve(parseTargets('slow.example'), {
      timeoutMs: 20,
      lookupAll: () => new Promise(() => {}),
    });
    assert.deepEqual([...unresolved], [['slow.example:443', 'TIMEOUT']]);
  });

  it('ends at once when stopped, the rest being STOPPED', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `n${index}.example`);
    const stopping = new AbortController();
    let asked = 0;
    const resolving = resolve(parseTargets(names), {
      timeoutMs: 60_000,
      signal: stopping.signal,
      lookupAll: () => {
        asked += 1;
        if (asked === 3) setImmediate(() => stopping.abort());
        return new Promise(() => {});
      },
    });
    const { endpoints, unresolved } = await resolving;
    assert.equal(endpoints.length, 50);
    assert.deepEqual(new Set(unresolved.values()), new Set(['STOPPED']));
    assert.equal(asked, 3);
  });

  it('uses the system, so that /etc/hosts counts', async () => {
    const { endpoints } = await resolve(parseTargets('localhost'), { timeoutMs: 5000 });
    const ips = endpoints.map(({ ip }) => ip);
    assert.ok(ips.includes('127.0.0.1') || ips.includes('::1'), ips.join());
  });

  it('brings all of a place at once, wherever its targets stand, and counts each endpoint once', async () => {
    const list = parseTargets(
      'a.example:443,444\nb.example\nA.example:444,445\n192.0.2.0/30\n192.0.2.1:443,8443\na.example@198.51.100.1:446',
      { exclude: '*:445\n192.0.2.3' },
    );
    const lookupAll = (): Promise<string[]> => Promise.resolve(['198.51.100.1', '198.51.100.2']);
    const places = await resolveTargets(list, { timeoutMs: 1000, lookupAll });
    const names = [...places].map(({ endpoints }) => endpoints.map(({ name }) => name)).filter(each => each.length > 0);
    assert.deepEqual(names, [
      ['a.example@198.51.100.1:443', 'a.example@198.51.100.1:444', 'a.example@198.51.100.1:446'],
      ['a.example@198.51.100.2:443', 'a.example@198.51.100.2:444'],
      ['b.example@198.51.100.1:443'],
      ['b.example@198.51.100.2:443'],
      ['192.0.2.0:443'],
      ['192.0.2.1:443', '192.0.2.1:8443'],
      ['192.0.2.2:443'],
    ]);
    assert.equal(places.count, 11);
  });

  it('gives the same endpoints each time it is gone through', async () => {
    const places = await resolveTargets(parseTargets('192.0.2.0/30\n192.0.2.1'), { timeoutMs: 1000 });
    assert.deepEqual([...places], [...places]);
  });

  it('counts a long list roughly when stopped before it was gone through', async () => {
    const startedAt = Date.now();
    const list = parseTargets('10.0.0.0/16:1,2,3,4');
    const places = await resolveTargets(list, { timeoutMs: 1000, signal: AbortSignal.abort() });
    assert.equal(places.count, 262_144);
    assert.ok(Date.now() - startedAt < 5000);
  });

  it('lets the event loop turn while it goes through a wide block', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const places = await resolveTargets(parseTargets('10.0.0.0/16'), { timeoutMs: 1000 });
    clearInterval(timer);
    assert.equal(places.count, 65_536);
    assert.equal([...places].at(-1)?.endpoints[0]?.name, '10.0.255.255:443');
    assert.ok(turns >= 5, `${turns} turns`);
  });
});
