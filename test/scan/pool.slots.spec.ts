import assert from 'node:assert/strict';
import { makeEndpoint, type Endpoint } from '../../lib/model/endpoint';
import { connectionsFor, Slots, type Demand } from '../../lib/scan/slots';

describe('slots', () => {
  const shares: [what: string, demand: Demand, expected: number][] = [
    ['a single endpoint gets all of its host', { free: 100, freeAtHost: 4, hostsWaiting: 1, waitingAtHost: 1 }, 4],
    ['but not more than the scan has left', { free: 3, freeAtHost: 4, hostsWaiting: 1, waitingAtHost: 1 }, 3],
    ['500 hosts get one each', { free: 100, freeAtHost: 4, hostsWaiting: 500, waitingAtHost: 1 }, 1],
    ['50 hosts share 100', { free: 100, freeAtHost: 4, hostsWaiting: 50, waitingAtHost: 1 }, 2],
    ['10 hosts get what a host may have', { free: 100, freeAtHost: 4, hostsWaiting: 10, waitingAtHost: 1 }, 4],
    ['two ports share their host', { free: 100, freeAtHost: 4, hostsWaiting: 1, waitingAtHost: 2 }, 2],
    ['nine ports too', { free: 100, freeAtHost: 4, hostsWaiting: 1, waitingAtHost: 9 }, 1],
    ['nothing left', { free: 0, freeAtHost: 4, hostsWaiting: 1, waitingAtHost: 1 }, 0],
    ['nothing left at the host', { free: 100, freeAtHost: 0, hostsWaiting: 1, waitingAtHost: 1 }, 0],
  ];
  for (const [what, demand, expected] of shares) {
    it(what, () => assert.equal(connectionsFor(demand), expected));
  }

  function endpoint(ip: string, port = 443): Endpoint {
    return makeEndpoint({ domain: null, ip, port, starttls: null });
  }

  it('lets hosts take turns, each within its limit', () => {
    const slots = new Slots({ concurrency: 100, perHost: 2 });
    for (const port of [1, 2, 3]) slots.add(endpoint('192.0.2.1', port));
    slots.add(endpoint('192.0.2.2'));
    const started = [slots.next(), slots.next(), slots.next(), slots.next()];
    assert.deepEqual(
      started.map(grant => grant && `${grant.endpoint.name} x${grant.connections}`),
      ['192.0.2.1:1 x1', '192.0.2.2:443 x2', '192.0.2.1:2 x1', null],
    );
  });

  it('does not let a host that is full hold up the others', () => {
    const slots = new Slots({ concurrency: 100, perHost: 1 });
    for (const port of [1, 2]) slots.add(endpoint('192.0.2.1', port));
    assert.equal(slots.next()?.endpoint.port, 1);
    slots.add(endpoint('192.0.2.2'));
    assert.equal(slots.next()?.endpoint.ip, '192.0.2.2');
    assert.equal(slots.next(), null);
  });

  it('lets the next one start when something is given back', () => {
    const slots = new Slots({ concurrency: 2, perHost: 2 });
    slots.add(endpoint('192.0.2.1'));
    slots.add(endpoint('192.0.2.2'));
    slots.add(endpoint('192.0.2.3'));
    const first = slots.next();
    assert.ok(first);
    assert.ok(slots.next());
    assert.equal(slots.next(), null);
    slots.release(first);
    assert.equal(slots.next()?.endpoint.ip, '192.0.2.3');
    assert.equal(slots.next(), null);
  });

  it('never goes beyond a limit and starts everything once, whatever the order', () => {
    const limits = { concurrency: 7, perHost: 3 };
    const slots = new Slots(limits);
    const expected = new Set<string>();
    for (let host = 0; host < 20; host++) {
      for (let port = 1; port <= (host % 5) + 1; port++) {
        const added = endpoint(`192.0.2.${host}`, port);
        expected.add(added.name);
        slots.add(added);
      }
    }
    const held: NonNullable<ReturnType<Slots['next']>>[] = [];
    const started: string[] = [];
    for (let step = 0; started.length < expected.size || held.length > 0; step++) {
      assert.ok(step < 1000, 'it comes to an end');
      for (let grant = slots.next(); grant !== null; grant = slots.next()) {
        held.push(grant);
        started.push(grant.endpoint.name);
      }
      assert.ok(held.reduce((sum, { connections }) => sum + connections, 0) <= limits.concurrency);
      for (const {
        endpoint: { ip },
      } of held) {
        const atHost = held.filter(grant => grant.endpoint.ip === ip);
        assert.ok(atHost.reduce((sum, { connections }) => sum + connections, 0) <= limits.perHost);
      }
      slots.release(held.splice((step * 7) % held.length, 1)[0]!);
    }
    assert.equal(started.length, expected.size);
    assert.deepEqual(new Set(started), expected);
  });

  it('uses everything there is while enough waits', () => {
    const slots = new Slots({ concurrency: 100, perHost: 4 });
    for (let host = 1; host <= 40; host++) slots.add(endpoint(`192.0.2.${host}`));
    let used = 0;
    for (let grant = slots.next(); grant !== null; grant = slots.next()) used += grant.connections;
    assert.equal(used, 100);
  });

  it('gives out everything that waits when drained', () => {
    const slots = new Slots({ concurrency: 1, perHost: 1 });
    for (const port of [1, 2, 3]) slots.add(endpoint('192.0.2.1', port));
    const running = slots.next();
    assert.ok(running);
    assert.deepEqual(
      slots.drain().map(({ port }) => port),
      [2, 3],
    );
    slots.release(running);
    assert.equal(slots.next(), null);
  });

  it('counts limits below one as one', () => {
    const slots = new Slots({ concurrency: 0, perHost: -1 });
    slots.add(endpoint('192.0.2.1'));
    assert.equal(slots.next()?.connections, 1);
  });
});
