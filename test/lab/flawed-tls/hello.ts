import { ByteReader, uint, vector } from '../../../lib/scan/wire/bytes';

export const EXTENSION = { heartbeat: 15, sessionTicket: 35, renegotiationInfo: 0xff01 } as const;
export const SCSV = { renegotiation: 0x00ff, fallback: 0x5600 } as const;

export interface ClientHello {
  version: number;
  random: Buffer;
  sessionId: Buffer;
  suites: number[];
  compressions: Buffer;
  extensions: Map<number, Buffer>;
}

/** The body of a ClientHello (RFC 5246 section 7.4.1.2). Throws WireError. */
export function readClientHello(body: Buffer): ClientHello {
  const reader = new ByteReader(body);
  const version = reader.number(2);
  const random = reader.take(32);
  const sessionId = reader.vector(1);
  const suites: number[] = [];
  for (const list = new ByteReader(reader.vector(2)); list.remaining > 0;) suites.push(list.number(2));
  const compressions = reader.vector(1);
  const extensions = new Map<number, Buffer>();
  if (reader.remaining > 0) {
    for (const list = new ByteReader(reader.vector(2)); list.remaining > 0;) {
      extensions.set(list.number(2), list.vector(2));
    }
  }
  return { version, random, sessionId, suites, compressions, extensions };
}

export interface ServerHello {
  version: number;
  random: Buffer;
  sessionId: Buffer;
  suite: number;
  compression: number;
  extensions: [type: number, content: Buffer][];
}

/** A whole handshake message. */
export function message(type: number, ...body: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(3, ...body)]);
}

export function serverHello(hello: ServerHello): Buffer {
  const extensions = hello.extensions.map(([type, content]) => Buffer.concat([uint(type, 2), vector(2, content)]));
  return message(
    2,
    uint(hello.version, 2),
    hello.random,
    vector(1, hello.sessionId),
    uint(hello.suite, 2),
    uint(hello.compression, 1),
    ...(extensions.length === 0 ? [] : [vector(2, ...extensions)]),
  );
}
