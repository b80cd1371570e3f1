import assert from 'node:assert/strict';
import {
  addressBytes,
  isInRange,
  normalizeAddress,
  parseAddress,
  parseCidr,
  rangeSize,
} from '../../lib/scan/targets/ip';

describe('IP arithmetic', () => {
  const forms: [text: string, expected: string | null][] = [
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['192.0.2.7', '192.0.2.7'],
    ['1.2.3', null],
    ['1.2.3.256', null],
    ['01.2.3.4', null],
    ['', null],
    ['example.com', null],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0000:0000:0000:0000:0002:0001', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::1%eth0', null],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ];
  for (const [text, expected] of forms) {
    it(`${text || 'nothing'} is ${expected}`, () => assert.equal(normalizeAddress(text), expected));
  }

  it('reads blocks, bits behind the prefix not counting', () => {
    assert.deepEqual(parseCidr('10.1.2.3/8'), { family: 4, first: 0x0a000000n, last: 0x0affffffn });
    assert.deepEqual(parseCidr('10.1.2.3/32'), { family: 4, first: 0x0a010203n, last: 0x0a010203n });
    assert.deepEqual(parseCidr('0.0.0.0/0'), { family: 4, first: 0n, last: 0xffffffffn });
    assert.equal(rangeSize(parseCidr('2001:db8::/32')!), 1n << 96n);
    for (const bad of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0', '/8', 'a/8', '::/129', '10.0.0.0/-1']) {
      assert.equal(parseCidr(bad), null, bad);
    }
  });

  it('knows what is inside a range, families apart', () => {
    const block = parseCidr('0.0.0.0/0')!;
    assert.equal(isInRange(block, parseAddress('255.255.255.255')!), true);
    assert.equal(isInRange(block, parseAddress('::1')!), false);
    const small = parseCidr('192.0.2.4/30')!;
    const inside = ['192.0.2.3', '192.0.2.4', '192.0.2.7', '192.0.2.8'].map(ip => isInRange(small, parseAddress(ip)!));
    assert.deepEqual(inside, [false, true, true, false]);
  });

  it('gives bytes in network order', () => {
    assert.equal(addressBytes(parseAddress('10.0.0.1')!).toString('hex'), '0a000001');
    assert.equal(addressBytes(parseAddress('::1')!).toString('hex'), `${'0'.repeat(31)}1`);
  });
});
