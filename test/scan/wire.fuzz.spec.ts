import assert from 'node:assert/strict';
import sinon from 'sinon';
import { uint16s, WireError } from '../../lib/scan/wire/bytes';
import { clientHello, type HelloOptions } from '../../lib/scan/wire/client-hello';
import { FlightReader, primeBits } from '../../lib/scan/wire/server-flight';
import { Sslv2Reader, sslv2Hello } from '../../lib/scan/wire/sslv2';
import { issue, makeCa } from '../lab/certificates';
import { startFlawedTls } from '../lab/flawed-tls';
import { startTls, type LabServer } from '../lab/tls-servers';
import { byteByByte, cut, fuzz, mutate, PLAIN, roundsOf, TEXT, TLS, type Anatomy, type Random } from './fuzz';
import { record } from './fuzz-corpus';
import { der } from './scan-support';
import { startScriptedTls } from './scripted-tls';

interface Sample {
  bytes: Buffer;
  anatomy: Anatomy;
}

/** Everything that a reader said of an answer. */
interface Understood {
  flight: unknown;
  alert: unknown;
  isWhole: boolean;
  error: string | null;
}

/** Reads as the scanner does: chunk by chunk, until it is whole or an error ends it. */
function understand(chunks: readonly Buffer[]): Understood {
  const reader = new FlightReader();
  let [isWhole, error]: [boolean, string | null] = [false, null];
  for (const chunk of chunks) {
    const { flight } = reader;
    const before = flight && { ...flight };
    try {
      isWhole = reader.push(chunk);
    } catch (thrown) {
      error = kindOf(thrown);
    }
    if (before !== null) assertKept(before, reader.flight);
    if (isWhole || error !== null) break;
  }
  const { flight, alert } = reader;
  return { flight: flight && { ...flight, extensions: [...flight.extensions] }, alert, isWhole, error };
}

function kindOf(thrown: unknown): string {
  assert.ok(thrown instanceof WireError, `no WireError: ${String(thrown)}`);
  return thrown.kind;
}

/** What a ServerHello said does not change by what follows it. */
function assertKept(before: NonNullable<FlightReader['flight']>, after: FlightReader['flight']): void {
  for (const key of ['protocol', 'suite', 'compression', 'random', 'sessionId', 'extensions'] as const) {
    assert.equal(after?.[key], before[key], key);
  }
}

/** Puts the content of handshake records into records of other sizes, which says the same. */
function reframe(bytes: Buffer, random: Random): Buffer {
  const records = TLS.pieces(bytes);
  const content = Buffer.concat(records.map(one => one.subarray(5)));
  const header = records[0]?.subarray(0, 3) ?? Buffer.alloc(0);
  const parts = cut(content, random).slice(0, 2000);
  const rest = content.subarray(parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat(
    [...parts, rest].flatMap(part => [header, Buffer.from([part.length >> 8, part.length & 0xff]), part]),
  );
}

describe('the readers of what servers send, at mutated bytes', function () {
  this.timeout(Math.max(60_000, roundsOf(100)));
  let flights: Sample[];
  let wholeFlights: Buffer[];
  let sslv2: Buffer;
  let keyExchanges: Buffer[];

  before(async () => {
    const ca = await makeCa('Fuzz Root');
    const rsa = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    const ecdsa = await issue(ca, { commonName: 'a.example', keyType: 'ec256' });
    const real = await startTls({
      key: [rsa.key, ecdsa.key] as unknown as string,
      cert: [rsa.cert + ca.cert, ecdsa.cert + ca.cert] as unknown as string,
      dhparam: 'auto',
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const flawed = await startFlawedTls({ ...rsa, flaws: { heartbeat: 'bounded', compression: true } });
    const chain = [der(rsa.cert), der(ca.cert)];
    const scripted = await startScriptedTls({
      versions: [0x0300],
      suites: [0x0016],
      chain,
      primeBytes: 64,
      sslv2Kinds,
    });
    const ask = (server: LabServer, hello: Partial<HelloOptions> & Pick<HelloOptions, 'protocol' | 'suites'>) => {
      const reader = new FlightReader();
      return record(server, clientHello({ serverName: 'a.example', ...hello }).record, chunk => reader.push(chunk));
    };
    const ECDHE_RSA = uint16s([0xc02f]);
    const DHE_RSA = uint16s([0x009e]);
    wholeFlights = [
      await ask(real, { protocol: 'TLSv1.2', suites: ECDHE_RSA }),
      await ask(real, { protocol: 'TLSv1.2', suites: DHE_RSA }),
      await ask(real, { protocol: 'TLSv1.2', suites: uint16s([0xc02b]) }),
      await ask(real, { protocol: 'TLSv1', suites: uint16s([0xc013]), sessionTicket: Buffer.alloc(0) }),
      await ask(flawed, { protocol: 'TLSv1.1', suites: uint16s([0x002f]) }),
      await ask(scripted, { protocol: 'SSLv3', suites: uint16s([0x0016]) }),
      await ask(real, { protocol: 'TLSv1.3', suites: uint16s([0x1301]) }),
    ];
    const stapled = withStaple(wholeFlights[4] ?? Buffer.alloc(0), Buffer.alloc(500, 0x30));
    wholeFlights.push(stapled);
    sslv2 = await record(scripted, sslv2Hello(Buffer.from('010080', 'hex')), () => true);
    const refusal = await ask(real, { protocol: 'TLSv1.3', suites: uint16s([0x1304, 0x1305]), groups: [0x0016] });
    const warning = Buffer.from([21, 3, 3, 0, 2, 1, 112]);
    flights = [
      ...[...wholeFlights, refusal, Buffer.concat([warning, stapled])].map(bytes => ({ bytes, anatomy: TLS })),
      { bytes: sslv2, anatomy: PLAIN },
      { bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), anatomy: TEXT },
      { bytes: Buffer.from('220 mail.example ESMTP\r\n'), anatomy: TEXT },
      { bytes: Buffer.from('8003000001', 'hex'), anatomy: PLAIN },
    ];
    keyExchanges = wholeFlights.flatMap(bytes => {
      const reader = new FlightReader();
      reader.push(bytes);
      return reader.flight?.serverKeyExchange ?? [];
    });
    await Promise.all([real, flawed, scripted].map(server => server.close()));
  });

  it('have answers of real and scripted servers to begin with', () => {
    const understood = wholeFlights.map(bytes => understand([bytes]));
    assert.ok(understood.every(one => one.isWhole && one.flight !== null && one.error === null));
    assert.equal(keyExchanges.length, 5);
    assert.ok(sslv2.length > 500);
  });

  it('say the same of a flight however it is cut', () => {
    const rounds = roundsOf(30);
    fuzz(rounds, (random, index) => {
      const { bytes, anatomy } = random.pick(flights);
      const mutated = mutate(bytes, random, anatomy);
      const whole = understand([mutated]);
      assert.deepEqual(understand(cut(mutated, random)), whole);
      if (index % 50 === 0) assert.deepEqual(understand(byteByByte(mutated)), whole);
    });
  });

  it('say the same of a flight that comes in other records', () => {
    fuzz(roundsOf(5), random => {
      const bytes = random.pick(wholeFlights);
      assert.deepEqual(understand([reframe(bytes, random)]), understand([bytes]));
    });
  });

  it('say the same of an SSLv2 hello however it is cut', () => {
    const read = (chunks: readonly Buffer[]): unknown => {
      const reader = new Sslv2Reader();
      try {
        for (const chunk of chunks) {
          const answer = reader.push(chunk);
          if (answer !== null) return answer;
        }
        return null;
      } catch (thrown) {
        return kindOf(thrown);
      }
    };
    const stranger = Buffer.from([21, 3, 1, 0, 2, 2, 70]);
    fuzz(roundsOf(15), random => {
      const mutated = mutate(random.below(20) === 0 ? stranger : sslv2, random);
      assert.deepEqual(read(cut(mutated, random)), read([mutated]));
    });
  });

  it('measure primes or say why not', () => {
    fuzz(roundsOf(10), random => {
      const mutated = mutate(random.pick(keyExchanges), random);
      try {
        const bits = primeBits(mutated, { hasPskHint: random.below(2) === 0 });
        assert.ok(Number.isInteger(bits) && bits >= 0 && bits <= mutated.length * 8);
      } catch (thrown) {
        kindOf(thrown);
      }
    });
  });

  it('end at bytes that never end', () => {
    fuzz(roundsOf(1), random => {
      const reader = new FlightReader();
      const { bytes } = random.pick(flights.slice(0, wholeFlights.length));
      const content = random.pick([Buffer.alloc(0), Buffer.from([1, 0]), Buffer.alloc(1000, 11)]);
      const endless = Buffer.concat([
        Buffer.from([22, 3, 3]),
        Buffer.from([content.length >> 8, content.length & 0xff]),
      ]);
      const chunk = Buffer.concat(Array.from({ length: 200 }, () => Buffer.concat([endless, content])));
      let pushed = 0;
      const push = (one: Buffer): boolean => {
        pushed += one.length;
        return reader.push(one);
      };
      try {
        push(bytes.subarray(0, random.below(bytes.length)));
        while (!push(chunk)) assert.ok(pushed < 600 * 1024);
      } catch (thrown) {
        kindOf(thrown);
      }
    });
  });

  for (const [what, framed] of [
    ['in records as long as can be', (message: Buffer) => inRecords(message, 16_384)],
    ['in records of ten bytes', (message: Buffer) => inRecords(message, 10)],
    ['and empty records', (message: Buffer) => Buffer.concat([inRecords(message, 16_384), emptyRecords(5000)])],
  ] as const) {
    it(`copy no byte more than a few times when a long message comes byte by byte, ${what}`, () => {
      const [hello = Buffer.alloc(0)] = TLS.pieces(wholeFlights[4] ?? Buffer.alloc(0));
      const message = Buffer.concat([Buffer.from([11, 0, 0xff, 0xff]), Buffer.alloc(0xfffe)]);
      const bytes = Buffer.concat([hello, framed(message)]);
      const reader = new FlightReader();
      let copied = 0;
      const concat = sinon.stub(Buffer, 'concat').callsFake((...args) => {
        const joined = concat.wrappedMethod(...args);
        copied += joined.length;
        return joined;
      });
      try {
        for (const chunk of byteByByte(bytes)) assert.ok(!reader.push(chunk));
      } finally {
        concat.restore();
      }
      assert.ok(copied < 6 * bytes.length, `${copied} bytes copied of ${bytes.length}`);
    });
  }
});

const sslv2Kinds = ['010080', '0700c0', '060040'];

/** A CertificateStatus after the Certificate (RFC 6066 section 8), in a record of its own. */
function withStaple(flight: Buffer, staple: Buffer): Buffer {
  const length = (value: number, width: number): Buffer => {
    const bytes = Buffer.alloc(width);
    bytes.writeUIntBE(value, 0, width);
    return bytes;
  };
  const body = Buffer.concat([Buffer.from([1]), length(staple.length, 3), staple]);
  const message = Buffer.concat([Buffer.from([22]), length(body.length, 3), body]);
  const records = TLS.pieces(flight);
  const done = Buffer.from([22, 3, 3, 0, 4, 14, 0, 0, 0]);
  const last = records.at(-1) ?? Buffer.alloc(0);
  const withoutDone = Buffer.concat([last.subarray(0, 3), length(last.length - 9, 2), last.subarray(5, -4)]);
  const status = Buffer.concat([Buffer.from([22, 3, 3]), length(message.length, 2), message]);
  return Buffer.concat([...records.slice(0, -1), withoutDone, status, done]);
}

function inRecords(message: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 3, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

function emptyRecords(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => Buffer.from([22, 3, 3, 0, 0])));
}
