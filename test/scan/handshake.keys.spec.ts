import assert from 'node:assert/strict';
import { generatePrimeSync } from 'node:crypto';
import { CbcOpener, CbcSealer, sealFlawed } from '../../lib/scan/wire/cbc-record';
import { cipherSpec } from '../../lib/scan/wire/cipher-spec';
import { prf } from '../../lib/scan/wire/prf';
import { exchangeKeys } from '../../lib/scan/wire/key-exchange';
import type { ServerFlight } from '../../lib/scan/wire/server-flight';
import { suitesNamed } from './handshake-support';

describe('keys of our own handshakes', () => {
  it('come from the pseudorandom function of TLS 1.2', () => {
    // a vector for SHA-256 that was published on the list of the IETF's TLS group
    const secret = Buffer.from('9bbe436ba940f017b17652849a71db35', 'hex');
    const seed = Buffer.from('a0ba9f936cda311827a6f796ffd5198c', 'hex');
    assert.equal(
      prf('sha256', secret, 'test label', seed, 100).toString('hex'),
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a' +
        '6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab' +
        '4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701' +
        '87347b66',
    );
  });

  it('leave out the leading zeros of a secret agreed by Diffie-Hellman', () => {
    // nine bits in the first two bytes: every second secret begins with a zero byte
    const prime = generatePrimeSync(521, { bigint: true });
    const ownSecret = 0x1234567890abcdefn;
    const [suite] = suitesNamed('TLS_DHE_RSA_WITH_AES_128_CBC_SHA');
    assert.ok(suite);
    const serverKeyExchange = Buffer.concat([
      sized(bytesOf(prime)),
      sized(Buffer.from([2])),
      sized(bytesOf(power(2n, ownSecret, prime))),
    ]);
    const flight: Partial<ServerFlight> = { serverKeyExchange };
    const lengths = new Set<number>();
    for (let round = 0; round < 60; round += 1) {
      const { premaster, body } = exchangeKeys({
        offered: 0x0303,
        protocol: 'TLSv1.2',
        suite,
        flight: flight as ServerFlight,
      });
      const share = BigInt(`0x${body.toString('hex', 2)}`);
      assert.equal(premaster.toString('hex'), bytesOf(power(share, ownSecret, prime)).toString('hex'));
      lengths.add(premaster.length);
    }
    assert.ok(lengths.has(66) && lengths.has(65), [...lengths].join());
  });
});

describe('records with CBC', () => {
  const [suite] = suitesNamed('TLS_RSA_WITH_AES_128_CBC_SHA');
  const spec = suite && cipherSpec(suite);
  assert.ok(spec);
  for (const protocol of ['TLSv1', 'TLSv1.2'] as const) {
    const pair = (): { sealer: CbcSealer; opener: CbcOpener } => {
      const keys = { mac: Buffer.alloc(20, 1), key: Buffer.alloc(16, 2), iv: Buffer.alloc(16, 3) };
      return { sealer: new CbcSealer({ protocol, spec, keys }), opener: new CbcOpener({ protocol, spec, keys }) };
    };

    it(`are read as they were written in ${protocol}`, () => {
      const { sealer, opener } = pair();
      for (const word of ['', 'a', 'fifteen bytes..', 'sixteen bytes...', 'x'.repeat(1000)]) {
        assert.equal(opener.open(23, sealer.seal(23, Buffer.from(word))).toString(), word);
      }
    });

    const FLAWS = [
      ['bad-padding', 'wrong padding'],
      ['bad-mac', 'a wrong MAC'],
      ['bad-both', 'wrong padding'],
      ['no-mac', 'wrong padding'],
    ] as const;
    for (const [flaw, what] of FLAWS) {
      it(`are not read in ${protocol} with ${flaw}`, () => {
        const { sealer, opener } = pair();
        const fragment = sealFlawed(sealer, flaw);
        assert.throws(() => opener.open(23, fragment), {
          name: 'WireError',
          message: `an encrypted record with ${what}`,
        });
      });
    }
  }
});

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let rest = exponent, square = base; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
  }
  return result;
}

/** Without leading zeros. */
function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
