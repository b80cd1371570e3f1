import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { json, Loopback } from '../helpdesks/loopback';
import { FAULTS, FaultProxy, type Fault } from '../lab/fault-proxy';
import { waitFor } from '../support/wait';
import { Random } from './random';

describe('the fault proxy', () => {
  let server: Loopback;
  let proxy: FaultProxy;
  beforeEach(async () => {
    server = await Loopback.start();
    server.answer = (_, response) => json(response, 201, { id: '7', text: 'x'.repeat(1_000) });
  });
  afterEach(async () => {
    await proxy.stop();
    await server.stop();
  });

  const start = async (fault: Fault | null, seed = 1): Promise<void> => {
    const random = new Random(seed);
    const rates = fault === null ? {} : { [fault]: 1 };
    const options = { target: server.url, rates, maxDelayMs: 60, retryAfterS: 2, random: () => random.next() };
    proxy = await FaultProxy.start(options);
  };
  /** What a client sees: a status and whether the whole body came, or the error's code. */
  const ask = async (): Promise<string> => {
    const asked = request(`${proxy.url}/ticket?a=b`, { method: 'POST', agent: false });
    asked.end('{"Subject":"S"}');
    try {
      const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
      let length = 0;
      for await (const chunk of response) length += (chunk as Buffer).length;
      return `${response.statusCode}, ${length} bytes`;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    }
  };

  for (const [fault, seenByClient, arrives] of [
    [null, '201, 1020 bytes', true],
    ['drop-before', 'ECONNRESET', false],
    ['drop-after', 'ECONNRESET', true],
    ['reset-before', 'ECONNRESET', false],
    ['reset-after', 'ECONNRESET', true],
    ['reset-late', 'ECONNRESET', true],
    ['delay', '201, 1020 bytes', true],
    ['rate-limited', '429, 31 bytes', false],
    ['error-before', '500, 35 bytes', false],
    ['error-after', '500, 35 bytes', true],
    ['half-body', 'ECONNRESET', true],
  ] as const) {
    it(`${fault ?? 'pass'}: the client sees ${seenByClient}, the request ${arrives ? 'arrives' : 'does not'}`, async () => {
      await start(fault);
      assert.equal(await ask(), seenByClient);
      await proxy.idle();
      const { method, url, body } = server.seen[0] ?? {};
      assert.deepEqual(
        [method, url, body],
        arrives ? ['POST', '/ticket?a=b', '{"Subject":"S"}'] : Array(3).fill(undefined),
      );
      const [passage] = proxy.log;
      assert.equal(passage?.fault, fault);
      assert.equal(passage?.forwardedAt !== null, arrives);
      assert.equal(passage?.status, arrives ? 201 : null);
    });
  }

  it('forwards a late request after its client was told that it failed', async () => {
    await start('reset-late');
    await ask();
    await proxy.idle();
    const [passage] = proxy.log;
    assert.ok((passage?.repliedAt ?? 0) < (passage?.forwardedAt ?? 0));
  });

  it('meets the same faults again with the same seed', async () => {
    const draw = async (seed: number): Promise<unknown> => {
      const random = new Random(seed);
      const rates = Object.fromEntries(FAULTS.map(fault => [fault, 0.08]));
      proxy = await FaultProxy.start({
        ...{ target: server.url, rates, maxDelayMs: 1, retryAfterS: 1, random: () => random.next() },
      });
      for (let number = 0; number < 40; number++) await ask();
      const faults = proxy.log.map(({ fault }) => fault);
      await proxy.stop();
      return faults;
    };
    const first = await draw(3);
    assert.deepEqual(await draw(3), first);
    assert.notDeepEqual(await draw(4), first);
  });

  it('lets everything pass while it is clean', async () => {
    await start('drop-after');
    proxy.setClean(true);
    assert.match(await ask(), /^201/);
    proxy.setClean(false);
    assert.equal(await ask(), 'ECONNRESET');
  });

  it('holds what is caught in an ambush until it is over, whatever becomes of the client', async () => {
    await start(null);
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => (release = resolve));
    const client = new AbortController();
    const caught = new Promise<void>(resolve => {
      proxy.ambush(
        'received',
        ({ method }) => method === 'POST',
        async () => {
          resolve();
          await released;
        },
      );
    });
    const asked = fetch(proxy.url, { method: 'POST', signal: client.signal }).catch(() => 'gone');
    await caught;
    client.abort();
    assert.equal(await asked, 'gone');
    const [passage] = proxy.log;
    await waitFor(
      () => passage?.lostAt !== null,
      5_000,
      () => 'the end of the connection',
    );
    assert.equal(server.seen.length, 0);
    release();
    await proxy.idle();
    assert.equal(server.seen.length, 1);
  });
});
