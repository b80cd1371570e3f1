import type { Socket } from 'node:net';
import { startScripted, type LabServer } from '../lab/tls-servers';

/**
 * A peer that answers hellos by a script, for servers that no runtime of today can be: RC4, EXPORT, SSLv2, compression,
 * and the many ways of saying no. It speaks the first flight of the protocol for real and nothing after it.
 */
export interface Script {
  /** Versions by their numbers, 0x0300 to 0x0304; the highest that both sides have is chosen. */
  versions: number[];
  /** Code points in the server's order. */
  suites: number[];
  /** DER, the leaf first. */
  chain?: Buffer[];
  /** Chosen whenever the client offers it; default 0, none. */
  compression?: number;
  /** Confirms RFC 5746; default true. */
  isRenegotiationSecure?: boolean;
  /** Bytes of the Diffie-Hellman prime; a ServerKeyExchange is sent when given. */
  primeBytes?: number;
  /** Kinds of SSLv2, six hex digits each, with the first certificate; default: SSLv2 is not spoken. */
  sslv2Kinds?: string[];
  /** Leaves the mark of TLS 1.3 in hellos of TLS 1.2. */
  isMarked?: boolean;
  /** How it says no; default an alert. */
  refusal?: 'alert' | 'close' | 'reset' | 'silent' | 'http';
  /** Alert to say no with; default 40, and 70 for a version. */
  alert?: number;
  /** Treats hellos of more suites as refusal `manySuites`. */
  mostSuites?: number;
  manySuites?: 'close' | 'reset' | 'silent';
  /** Refuses hellos without this name, with alert 112. */
  serverName?: string;
  /** Chooses the first of `suites` when the client offers none of them. */
  isStubborn?: boolean;
  /** Says nothing to these hellos. */
  silentTo?: (hello: SeenHello) => boolean;
  /** Answers this many hellos, then resets everything. */
  answers?: number;
}

/** What a ClientHello says, as far as a script looks at it. */
export interface SeenHello {
  isSslv2: boolean;
  version: number;
  suites: number[];
  compressions: number[];
  serverName: string | null;
  extensions: number[];
}

export type ScriptedTls = LabServer & { hellos: SeenHello[] };

export async function startScriptedTls(script: Script): Promise<ScriptedTls> {
  const hellos: SeenHello[] = [];
  const server = await startScripted(socket => {
    let bytes = Buffer.alloc(0);
    socket.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!isHello(bytes)) return refuse(socket, 'alert', 10); // it goes no further than its first flight
      const hello = readHello(bytes);
      if (hello === null) return;
      bytes = Buffer.alloc(0);
      hellos.push(hello);
      answer(socket, script, hello, hellos.length);
    });
  });
  return Object.defineProperties(server, { hellos: { value: hellos } }) as ScriptedTls;
}

function answer(socket: Socket, script: Script, hello: SeenHello, count: number): void {
  if (script.answers !== undefined && count > script.answers) return void socket.resetAndDestroy();
  if (script.silentTo?.(hello) === true) return;
  if (hello.isSslv2) {
    if (script.sslv2Kinds === undefined) return refuse(socket, script.refusal ?? 'alert', script.alert ?? 70);
    return void socket.write(sslv2ServerHello(script.sslv2Kinds, script.chain?.[0] ?? Buffer.alloc(0)));
  }
  if (script.serverName !== undefined && hello.serverName !== script.serverName) return refuse(socket, 'alert', 112);
  if (hello.suites.length > (script.mostSuites ?? Infinity)) return refuse(socket, script.manySuites ?? 'close', 0);
  const version = Math.max(...script.versions.filter(one => isOffered(one, hello)), 0);
  if (version === 0) return refuse(socket, script.refusal ?? 'alert', script.alert ?? 70);
  const suite =
    script.suites.find(one => hello.suites.includes(one) && isTls13Suite(one) === (version === 0x0304)) ??
    (script.isStubborn === true ? script.suites[0] : undefined);
  if (suite === undefined) return refuse(socket, script.refusal ?? 'alert', script.alert ?? 40);
  socket.write(version === 0x0304 ? helloRetryRequest(suite) : flight(script, hello, version, suite));
}

/** A hello of TLS 1.3 alone offers nothing older, whatever its legacy_version says. */
function isOffered(version: number, hello: SeenHello): boolean {
  return hello.extensions.includes(43) ? version === 0x0304 : version <= hello.version && version < 0x0304;
}

function isTls13Suite(code: number): boolean {
  return code >> 8 === 0x13;
}

function refuse(socket: Socket, how: NonNullable<Script['refusal']>, alert: number): void {
  if (how === 'alert') socket.end(Buffer.from([21, 3, 1, 0, 2, 2, alert]));
  else if (how === 'close') socket.end();
  else if (how === 'reset') socket.resetAndDestroy();
  else if (how === 'http') socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
}

function flight(script: Script, hello: SeenHello, version: number, suite: number): Buffer {
  const random = Buffer.alloc(32, 7);
  if (script.isMarked === true) random.write('DOWNGRD\x01', 24, 'latin1');
  const compression = hello.compressions.includes(script.compression ?? 0) ? (script.compression ?? 0) : 0;
  const extensions =
    (script.isRenegotiationSecure ?? true) ? sized(2, Buffer.from([0xff, 1, 0, 1, 0])) : Buffer.alloc(0);
  const messages = [
    message(2, u16(version), random, Buffer.from([0]), u16(suite), Buffer.from([compression]), extensions),
    message(11, sized(3, ...(script.chain ?? []).map(der => sized(3, der)))),
  ];
  if (script.primeBytes !== undefined) {
    messages.push(
      message(
        12,
        sized(2, Buffer.alloc(script.primeBytes, 0xff)),
        sized(2, Buffer.from([2])),
        sized(2, Buffer.from([9])),
      ),
    );
  }
  messages.push(message(14));
  return record(22, version, ...messages);
}

/** SHA-256 of "HelloRetryRequest" stands where the random does (RFC 8446 section 4.1.3). */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

function helloRetryRequest(suite: number): Buffer {
  const extensions = sized(2, Buffer.from([0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 29]));
  return record(
    22,
    0x0303,
    message(2, u16(0x0303), RETRY_RANDOM, Buffer.from([0]), u16(suite), Buffer.from([0]), extensions),
  );
}

function sslv2ServerHello(kinds: string[], certificate: Buffer): Buffer {
  const specs = Buffer.from(kinds.join(''), 'hex');
  const body = Buffer.concat([
    Buffer.from([4, 0, 1, 0, 2]),
    u16(certificate.length),
    u16(specs.length),
    u16(16),
    certificate,
    specs,
    Buffer.alloc(16, 1),
  ]);
  return Buffer.concat([u16(0x8000 | body.length), body]);
}

/** A record with a ClientHello, or one of SSLv2; as far as can be told yet. */
function isHello([type = 22, , , , , message = 1]: Buffer): boolean {
  return type >= 0x80 || (type === 22 && message === 1);
}

function readHello(bytes: Buffer): SeenHello | null {
  if (bytes.length < 5) return null;
  const isSslv2 = (bytes[0] ?? 0) >= 0x80;
  const length = isSslv2 ? 2 + (bytes.readUInt16BE(0) & 0x7fff) : 5 + bytes.readUInt16BE(3);
  if (bytes.length < length) return null;
  if (isSslv2) return { isSslv2, version: 2, suites: [], compressions: [], serverName: null, extensions: [] };
  let at = 9;
  const version = bytes.readUInt16BE(at);
  at += 34;
  at += 1 + (bytes[at] ?? 0);
  const suites = numbers(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)));
  at += 2 + bytes.readUInt16BE(at);
  const compressions = [...bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0))];
  at += 1 + (bytes[at] ?? 0) + 2;
  const extensions: number[] = [];
  let serverName: string | null = null;
  while (at < length) {
    const type = bytes.readUInt16BE(at);
    const end = at + 4 + bytes.readUInt16BE(at + 2);
    if (type === 0) serverName = bytes.toString('latin1', at + 9, end);
    extensions.push(type);
    at = end;
  }
  return { isSslv2, version, suites, compressions, serverName, extensions };
}

function numbers(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2));
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function sized(width: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(width);
  length.writeUIntBE(content.length, 0, width);
  return Buffer.concat([length, content]);
}

function message(type: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type]), sized(3, ...parts)]);
}

function record(type: number, version: number, ...messages: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type]), u16(Math.min(version, 0x0303)), sized(2, ...messages)]);
}
