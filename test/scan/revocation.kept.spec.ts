import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { Kept, type Found } from '../../lib/scan/revocation/kept';

const later = (): number => Date.now() + 60_000;
const never = new AbortController().signal;
setMaxListeners(0, never);

describe('what is kept of look-ups', () => {
  /** A look-up that ends when it is told to. */
  function slow(): {
    lookUp: (signal: AbortSignal) => Promise<Found<string>>;
    signals: AbortSignal[];
    end: () => void;
  } {
    const signals: AbortSignal[] = [];
    let end = (): void => {};
    const ended = new Promise<void>(resolve => (end = resolve));
    const lookUp = async (signal: AbortSignal): Promise<Found<string>> => {
      signals.push(signal);
      await ended;
      return { value: 'found', until: later() };
    };
    return { lookUp, signals, end };
  }

  it('is looked up once, and again when it has expired', async () => {
    const kept = new Kept<number>({ entries: 10 });
    let count = 0;
    let until = later();
    const lookUp = async (): Promise<Found<number>> => ({ value: (count += 1), until });
    assert.equal(await kept.get('a', never, lookUp), 1);
    assert.equal(await kept.get('a', never, lookUp), 1);
    assert.equal(await kept.get('b', never, lookUp), 2);
    until = Date.now() - 1;
    assert.equal(await kept.get('c', never, lookUp), 3);
    assert.equal(await kept.get('c', never, lookUp), 4);
  });

  it('is looked up once for all who ask at the same time', async () => {
    const kept = new Kept<string>({ entries: 10 });
    const { lookUp, signals, end } = slow();
    const all = Promise.all(Array.from({ length: 100 }, () => kept.get('a', never, lookUp)));
    end();
    assert.deepEqual(new Set(await all), new Set(['found']));
    assert.equal(signals.length, 1);
  });

  it('goes on for the others when one who waits is stopped, and ends with the last', async () => {
    const kept = new Kept<string>({ entries: 10 });
    const { lookUp, signals } = slow();
    const [one, other] = [new AbortController(), new AbortController()];
    const [first, second] = [kept.get('a', one.signal, lookUp), kept.get('a', other.signal, lookUp)];
    one.abort();
    assert.equal(await first, null);
    assert.equal(signals[0]?.aborted, false);
    other.abort();
    assert.equal(await second, null);
    assert.equal(signals[0]?.aborted, true);
  });

  it('does not keep what was found after everybody left', async () => {
    const kept = new Kept<string>({ entries: 10 });
    const { lookUp, end } = slow();
    const stop = new AbortController();
    const gone = kept.get('a', stop.signal, lookUp);
    stop.abort();
    assert.equal(await gone, null);
    end();
    assert.equal(await kept.get('a', never, async () => ({ value: 'new', until: later() })), 'new');
  });

  it('is not looked up for one who is stopped already', async () => {
    const kept = new Kept<string>({ entries: 10 });
    const { lookUp, signals } = slow();
    assert.equal(await kept.get('a', AbortSignal.abort(), lookUp), null);
    assert.equal(signals.length, 0);
  });

  it('fails for all, and is looked up anew', async () => {
    const kept = new Kept<string>({ entries: 10 });
    const fail = async (): Promise<Found<string>> => Promise.reject(new Error('broken'));
    const both = [kept.get('a', never, fail), kept.get('a', never, fail)];
    for (const one of both) await assert.rejects(one, /broken/);
    assert.equal(await kept.get('a', never, async () => ({ value: 'whole', until: later() })), 'whole');
  });

  it('gives way by number and by bytes, what was used last stays', async () => {
    const kept = new Kept<string>({ entries: 3, bytes: 100 });
    const asked: string[] = [];
    const ask = (key: string, bytes = 1): Promise<string | null> =>
      kept.get(key, never, async () => {
        asked.push(key);
        return { value: key, until: later(), bytes };
      });
    for (const key of ['a', 'b', 'c', 'a', 'd']) await ask(key);
    asked.length = 0;
    for (const key of ['a', 'c', 'd', 'b']) await ask(key);
    assert.deepEqual(asked, ['b']);
    await ask('large', 100);
    asked.length = 0;
    await ask('large', 100);
    for (const key of ['b', 'c', 'd']) await ask(key);
    assert.deepEqual(asked, ['b', 'c', 'd']);
  });
});
