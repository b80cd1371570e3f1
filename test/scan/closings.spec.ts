import assert from 'node:assert/strict';
import { Closings } from '../../lib/scan/closings';
import { Line } from '../../lib/scan/line';
import { noAnswerReply, type Reply } from '../../lib/scan/reply';

const RESET = noAnswerReply({ kind: 'closed', isReset: true });
const CLOSE = noAnswerReply({ kind: 'closed', isReset: false });
const HIT: Reply = { kind: 'hit', protocol: 'TLSv1', suite: null };

describe('what endings without a clear refusal mean', () => {
  const { signal } = new AbortController();
  const line = new Line({ host: '127.0.0.1', port: 9, timeoutMs: 100, connections: 4, signal });
  let isAnswered: boolean;
  let asked: number;
  let closings: Closings;
  beforeEach(() => {
    isAnswered = true;
    asked = 0;
    closings = new Closings(line, async () => {
      asked += 1;
      if (isAnswered) closings.answered();
      return isAnswered;
    });
  });

  const judge = (first = RESET, again: Reply = first): Promise<Reply> =>
    closings.judge<Reply>(first, async () => again);

  it('is a refusal when it comes again and something known is still answered', async () => {
    assert.equal((await judge()).kind, 'refused');
    assert.equal(await closings.isTrustworthy(), true);
  });

  it('is no refusal when nothing known is answered', async () => {
    isAnswered = false;
    assert.equal((await judge()).kind, 'unknown');
  });

  it('is what the second question brings, and the next one is asked again too', async () => {
    assert.equal((await judge(RESET, HIT)).kind, 'hit');
    assert.equal((await judge(RESET, HIT)).kind, 'hit');
  });

  it('is one thing by close and by reset', async () => {
    await judge(RESET);
    assert.equal((await judge(CLOSE, HIT)).kind, 'refused', 'it is not asked again');
  });

  it('is another thing by an odd alert', async () => {
    await judge(RESET);
    const odd = { ...RESET, word: 'INTERNAL_ERROR' };
    assert.equal((await judge(odd, HIT)).kind, 'hit');
  });

  it('is not trusted any more when it proves to be a limit later', async () => {
    const [later] = await Promise.all([judge(RESET, HIT), judge(RESET, RESET).then(() => judge(RESET))]);
    assert.equal(later.kind, 'hit');
    assert.equal((await judge(RESET, HIT)).kind, 'hit', 'each is asked again from then on');
  });

  it('is looked at again after many in a row, and answers in between make the row begin anew', async () => {
    await judge();
    const atFirst = asked;
    for (let count = 0; count < 20; count += 1) {
      closings.answered();
      assert.equal((await judge()).kind, 'refused');
    }
    assert.equal(asked, atFirst);
    for (let count = 0; count < 20; count += 1) assert.equal((await judge()).kind, 'refused');
    assert.ok(asked > atFirst);
  });

  it('vouches for nothing once something known was not answered, although the server is back at the end', async () => {
    await judge();
    isAnswered = false;
    const kinds = new Set<string>();
    for (let count = 0; count < 20; count += 1) kinds.add((await judge()).kind);
    assert.ok(kinds.has('unknown'));
    isAnswered = true;
    closings.answered();
    assert.equal(await closings.isTrustworthy(), false);
  });

  it('is not asked again for ever while nothing is answered', async () => {
    isAnswered = false;
    let again = 0;
    for (let count = 0; count < 10; count += 1) {
      await closings.judge<Reply>(RESET, async () => {
        again += 1;
        return RESET;
      });
    }
    assert.ok(again < 4, `${again} times`);
  });
});
