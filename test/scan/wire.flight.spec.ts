import assert from 'node:assert/strict';
import net from 'node:net';
import { uint16s, WireError } from '../../lib/scan/wire/bytes';
import { clientHello } from '../../lib/scan/wire/client-hello';
import { FlightReader, primeBits } from '../../lib/scan/wire/server-flight';
import { Sslv2Reader } from '../../lib/scan/wire/sslv2';
import { issue, makeCa } from '../lab/certificates';
import { startTls, type LabServer } from '../lab/tls-servers';
import { der } from './scan-support';

const ECDHE_RSA_AES128_GCM = 0xc02f;
const DHE_RSA_AES128_GCM = 0x009e;

function read(...chunks: Buffer[]): { reader: FlightReader; isWhole: boolean } {
  const reader = new FlightReader();
  let isWhole = false;
  for (const chunk of chunks) isWhole = reader.push(chunk) || isWhole;
  return { reader, isWhole };
}

/** Everything that a server sends to a hello, until it is whole. */
function record({ host, port }: LabServer, protocol: 'TLSv1.2' | 'TLSv1.3', suite: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host);
    const reader = new FlightReader();
    const chunks: Buffer[] = [];
    socket.on('error', reject);
    socket.on('data', chunk => {
      chunks.push(chunk);
      if (!reader.push(chunk)) return;
      socket.destroy();
      resolve(Buffer.concat(chunks));
    });
    socket.write(clientHello({ protocol, suites: uint16s([suite]), serverName: 'a.example' }).record);
  });
}

describe('the server flight', () => {
  let server: LabServer;
  let leaf: Buffer;
  let ecdhe: Buffer;
  let dhe: Buffer;
  let retry: Buffer;
  before(async () => {
    const ca = await makeCa('Flight Root');
    const issued = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    leaf = der(issued.cert);
    server = await startTls({ ...issued, cert: issued.cert + ca.cert, dhparam: 'auto', ciphers: 'ALL' });
    ecdhe = await record(server, 'TLSv1.2', ECDHE_RSA_AES128_GCM);
    dhe = await record(server, 'TLSv1.2', DHE_RSA_AES128_GCM);
    retry = await record(server, 'TLSv1.3', 0x1301);
  });
  after(() => server.close());

  it('of a real server is read to its end', () => {
    const { reader, isWhole } = read(ecdhe);
    const { flight } = reader;
    assert.ok(isWhole);
    assert.equal(flight?.protocol, 'TLSv1.2');
    assert.equal(flight.suite, ECDHE_RSA_AES128_GCM);
    assert.equal(flight.compression, 0);
    assert.ok(flight.extensions.has(0xff01));
    assert.equal(flight.certificates.length, 2);
    assert.deepEqual(flight.certificates[0], leaf);
    assert.equal(flight.staple, null);
    assert.ok(flight.isComplete);
  });

  it('carries the mark of TLS 1.3', () => {
    assert.equal(read(ecdhe).reader.flight?.speaksTls13, true);
  });

  it('has the prime of a Diffie-Hellman suite', () => {
    const message = read(dhe).reader.flight?.serverKeyExchange;
    assert.ok(message);
    assert.equal(primeBits(message, { hasPskHint: false }), 2048);
  });

  it('of TLS 1.3 ends with the HelloRetryRequest', () => {
    const { reader, isWhole } = read(retry);
    assert.ok(isWhole);
    assert.equal(reader.flight?.protocol, 'TLSv1.3');
    assert.equal(reader.flight.suite, 0x1301);
  });

  it('is the same however it is cut', () => {
    const whole = read(ecdhe).reader.flight;
    const bytes = [...ecdhe].map(byte => Buffer.from([byte]));
    assert.deepEqual(read(...bytes).reader.flight, whole);
  });

  it('goes on after a warning and ends with a fatal alert', () => {
    const warned = new FlightReader();
    assert.equal(warned.push(Buffer.from([21, 3, 3, 0, 2, 1, 112])), false);
    assert.equal(warned.push(ecdhe), true);
    assert.equal(warned.flight?.suite, ECDHE_RSA_AES128_GCM);
    const refused = read(Buffer.from([21, 3, 1, 0, 2, 2, 40]));
    assert.ok(refused.isWhole);
    assert.deepEqual(refused.reader.alert, { isFatal: true, description: 40 });
    assert.equal(refused.reader.flight, null);
  });

  it('keeps the stapled answer', () => {
    const message = Buffer.from([22, 0, 0, 7, 1, 0, 0, 3, 1, 2, 3]);
    const done = Buffer.from([14, 0, 0, 0]);
    const hello = ecdhe.subarray(5, 9 + ecdhe.readUIntBE(6, 3));
    const content = Buffer.concat([hello, message, done]);
    const { reader } = read(
      Buffer.concat([Buffer.from([22, 3, 3, content.length >> 8, content.length & 0xff]), content]),
    );
    assert.deepEqual(reader.flight?.staple, Buffer.from([1, 2, 3]));
  });

  for (const [what, text] of [
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['mail', '220 mail.example ESMTP\r\n'],
    ['nothing known', 'hello'],
  ] as const) {
    it(`is not taken from ${what}`, () => {
      assert.throws(() => read(Buffer.from(text)), { name: 'WireError', kind: 'NOT_TLS' });
    });
  }

  for (const [what, hex] of [
    ['a record that is too long', '160303ffff02'],
    ['a message that is too long', '16030300040bffffff'],
    ['another message where the ServerHello belongs', '16030300040b000000'],
    ['a record of data before the ServerHello', '170303000100'],
    ['an alert without content', '1503030000'],
    ['a ServerHello that is cut off', '160303000602000002' + '0303'],
    ['an SSLv2 ERROR', '8003000001'],
  ] as const) {
    it(`does not take ${what}`, () => {
      assert.throws(() => read(Buffer.from(hex, 'hex')), { name: 'WireError', kind: 'MALFORMED' });
    });
  }

  it('ends where an answer has no end', () => {
    const record = Buffer.concat([Buffer.from([22, 3, 3, 0x40, 0, 2, 1, 255, 255]), Buffer.alloc(0x3ffc)]);
    assert.throws(() => read(...Array.from({ length: 20 }, () => record)), WireError);
    const warning = Buffer.from([21, 3, 3, 0, 2, 1, 112]);
    assert.throws(() => read(...Array.from({ length: 40_000 }, () => warning)), WireError);
  });
});

describe('the prime of a ServerKeyExchange', () => {
  it('is measured without its leading zeros', () => {
    const of = (hex: string, hasPskHint = false): number => primeBits(Buffer.from(hex, 'hex'), { hasPskHint });
    assert.equal(of('0002' + '8001' + '000102' + '000101'), 16);
    assert.equal(of('0003' + '00407f' + '000102'), 15);
    assert.equal(of('0002' + '0000'), 0);
    assert.equal(of('0001' + '61' + '0001' + '80', true), 8, 'after the hint of a pre-shared key');
    assert.throws(() => of('0004' + '80'), WireError);
  });
});

describe('the SSLv2 SERVER-HELLO', () => {
  it('lists the kinds and the certificate, however it is cut', () => {
    const certificate = Buffer.from([0x30, 0x01, 0x00]);
    const bytes = sslv2ServerHello(certificate);
    const reader = new Sslv2Reader();
    assert.equal(reader.push(bytes.subarray(0, 2)), null);
    assert.equal(reader.push(bytes.subarray(2, 20)), null);
    assert.deepEqual(reader.push(bytes.subarray(20)), { kinds: [0x010080, 0x0700c0], certificate });
  });

  for (const [what, hex] of [
    ['a TLS alert', '15030100020246'],
    ['an SSLv2 ERROR', '8003000001'],
    ['text', '485454502f312e31'],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.equal(new Sslv2Reader().push(Buffer.from(hex, 'hex')), 'refused');
    });
  }

  it('has to add up', () => {
    const bytes = sslv2ServerHello(Buffer.alloc(3));
    bytes.writeUInt16BE(0xffff, 7);
    assert.throws(() => new Sslv2Reader().push(bytes), WireError);
  });
});

function sslv2ServerHello(certificate: Buffer): Buffer {
  const body = Buffer.concat([
    Buffer.from([4, 0, 1, 0, 2, certificate.length >> 8, certificate.length & 0xff, 0, 6, 0, 16]),
    certificate,
    Buffer.from('0100800700c0', 'hex'),
    Buffer.alloc(16, 1),
  ]);
  return Buffer.concat([Buffer.from([0x80 | (body.length >> 8), body.length & 0xff]), body]);
}
