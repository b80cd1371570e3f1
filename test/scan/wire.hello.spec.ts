import assert from 'node:assert/strict';
import { uint16s } from '../../lib/scan/wire/bytes';
import { clientHello, type HelloOptions } from '../../lib/scan/wire/client-hello';
import { sslv2Hello } from '../../lib/scan/wire/sslv2';

/** Reads a ClientHello as RFC 5246 section 7.4.1.2 lays it out. */
function parse(bytes: Buffer): {
  recordVersion: number;
  version: number;
  sessionId: number;
  suites: number[];
  compressions: number[];
  extensions: [type: number, content: Buffer][];
} {
  assert.equal(bytes[0], 22);
  assert.equal(bytes.readUInt16BE(3), bytes.length - 5);
  assert.equal(bytes[5], 1);
  assert.equal(bytes.readUIntBE(6, 3), bytes.length - 9);
  let at = 43;
  const sessionId = bytes[at] ?? 0;
  at += 1 + sessionId;
  const suites = Array.from({ length: bytes.readUInt16BE(at) / 2 }, (_, i) => bytes.readUInt16BE(at + 2 + 2 * i));
  at += 2 + 2 * suites.length;
  const compressions = [...bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0))];
  at += 1 + compressions.length;
  const extensions: [number, Buffer][] = [];
  if (at < bytes.length) {
    assert.equal(bytes.readUInt16BE(at), bytes.length - at - 2);
    at += 2;
  }
  while (at < bytes.length) {
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    extensions.push([bytes.readUInt16BE(at), bytes.subarray(at + 4, end)]);
    at = end;
  }
  return {
    recordVersion: bytes.readUInt16BE(1),
    version: bytes.readUInt16BE(9),
    sessionId,
    suites,
    compressions,
    extensions,
  };
}

function hello(options: Partial<HelloOptions> = {}): ReturnType<typeof parse> {
  return parse(
    clientHello({
      protocol: 'TLSv1.2',
      suites: uint16s([0xc02f, 0x000a]),
      serverName: null,
      ...options,
    }).record,
  );
}
const typesOf = (parsed: ReturnType<typeof parse>): number[] => parsed.extensions.map(([type]) => type);

describe('the ClientHello', () => {
  for (const [protocol, version, recordVersion] of [
    ['SSLv3', 0x0300, 0x0300],
    ['TLSv1', 0x0301, 0x0301],
    ['TLSv1.1', 0x0302, 0x0301],
    ['TLSv1.2', 0x0303, 0x0301],
    ['TLSv1.3', 0x0303, 0x0301],
  ] as const) {
    it(`offers ${protocol}`, () => {
      const parsed = hello({ protocol });
      assert.equal(parsed.version, version);
      assert.equal(parsed.recordVersion, recordVersion);
      assert.deepEqual(parsed.suites, [0xc02f, 0x000a]);
    });
  }

  it('carries the name as SNI, and none without a name', () => {
    const [type, content] = hello({ serverName: 'a.example' }).extensions[0] ?? [];
    assert.equal(type, 0);
    assert.equal(content?.toString('hex'), `000c000009${Buffer.from('a.example').toString('hex')}`);
    assert.ok(!typesOf(hello()).includes(0));
  });

  it('offers DEFLATE, stapling and RFC 5746 below TLS 1.3', () => {
    const parsed = hello();
    assert.deepEqual(parsed.compressions, [1, 0]);
    assert.ok(typesOf(parsed).includes(5));
    assert.ok(typesOf(parsed).includes(0xff01));
  });

  it('offers TLS 1.3 alone, with an empty key_share and no compression', () => {
    const parsed = hello({ protocol: 'TLSv1.3' });
    const byType = new Map(parsed.extensions);
    assert.equal(byType.get(43)?.toString('hex'), '020304');
    assert.equal(byType.get(51)?.toString('hex'), '0000');
    assert.deepEqual(parsed.compressions, [0]);
    assert.equal(parsed.sessionId, 32);
  });

  it('signals RFC 5746 by a suite where it has no extensions', () => {
    const parsed = hello({ protocol: 'SSLv3', hasExtensions: false, serverName: 'a.example' });
    assert.deepEqual(parsed.extensions, []);
    assert.deepEqual(parsed.suites, [0xc02f, 0x000a, 0x00ff]);
  });

  it('never has a length at which servers hang, nor an empty last extension', () => {
    for (let count = 1; count < 500; count += 1) {
      for (const protocol of ['TLSv1.2', 'TLSv1.3'] as const) {
        const suites = uint16s(Array.from({ length: count }, (_, index) => index));
        const bytes = clientHello({ protocol, suites, serverName: 'n'.repeat(count % 60 || 1) }).record;
        const length = bytes.length - 5;
        assert.ok(length < 256 || length >= 512, `${length} bytes`);
        assert.ok(length % 256 !== 10 && length % 256 !== 14, `${length} bytes`);
        assert.notEqual(parse(bytes).extensions.at(-1)?.[1].length, 0);
      }
    }
  });

  it('has another random each time', () => {
    const options = { protocol: 'TLSv1.2', suites: uint16s([1]), serverName: null } as const;
    assert.notDeepEqual(clientHello(options).record, clientHello(options).record);
  });
});

describe('the SSLv2 CLIENT-HELLO', () => {
  it('offers version 2 and the kinds given', () => {
    const bytes = sslv2Hello(Buffer.from('0100800700c0', 'hex'));
    assert.equal(bytes.readUInt16BE(0), 0x8000 | (bytes.length - 2));
    assert.equal(bytes.subarray(2, 11).toString('hex'), '010002000600000010');
    assert.equal(bytes.subarray(11, 17).toString('hex'), '0100800700c0');
    assert.equal(bytes.length, 17 + 16);
  });
});
