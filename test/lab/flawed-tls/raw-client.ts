import { constants, publicEncrypt, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { uint, uint16s, vector } from '../../../lib/scan/wire/bytes';
import { clientHello, type HelloOptions } from '../../../lib/scan/wire/client-hello';
import { VERSION_CODES } from '../../../lib/scan/wire/names';
import { CbcReader, CbcWriter } from './cbc-records';
import { message } from './hello';
import { connectionKeys, masterSecret, verifyData, type Randoms } from './keys';

const AES128_SHA = 0x002f;
const KEY_BYTES = 16;
const CERTIFICATE_LENGTHS = 10; // a message's header and two lengths before the first certificate

/** What the server did: a record, or how it ended the connection. */
export type Event = { type: number; content: Buffer } | 'end' | 'reset';

export interface RawHello {
  protocol: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2';
  sessionId: Buffer;
  sessionTicket: Buffer;
  isFallback: boolean;
  suite: number;
}

/** A client with TLS_RSA_WITH_AES_128_CBC_SHA, one step a call, so that a test can do any of them wrong. */
export class RawClient {
  #bytes: Buffer = Buffer.alloc(0);
  #isReset = false;
  #writer: CbcWriter | null = null;
  #reader: CbcReader | null = null;
  #version = 0x0303;
  #randoms: Randoms = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
  #master: Buffer = Buffer.alloc(0);
  #transcript: Buffer[] = [];
  #serverMessages: Buffer = Buffer.alloc(0);
  #modulusBytes = 0;
  #certificate: X509Certificate | null = null;

  private constructor(readonly socket: Socket) {
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#isReset = error.code === 'ECONNRESET'));
    socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      socket.emit('more');
    });
    socket.on('end', () => socket.emit('more'));
    socket.on('close', () => socket.emit('more'));
  }

  static async connect({ host, port }: { host: string; port: number }): Promise<RawClient> {
    const socket = net.connect({ host, port, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** The next record, opened where there are keys. */
  async next(): Promise<Event> {
    for (;;) {
      const event = this.#take();
      if (event !== null) return event;
      await new Promise(resolve => this.socket.once('more', resolve));
    }
  }

  /** The next record that comes within `ms`; null for nothing. */
  async nextWithin(ms: number): Promise<Event | null> {
    const deadline = Date.now() + ms;
    for (;;) {
      const event = this.#take();
      if (event !== null || Date.now() >= deadline) return event;
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.socket.once('more', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #take(): Event | null {
    if (this.#bytes.length >= 5 && this.#bytes.length >= 5 + this.#bytes.readUInt16BE(3)) {
      const end = 5 + this.#bytes.readUInt16BE(3);
      const [type = 0] = this.#bytes;
      const fragment = this.#bytes.subarray(5, end);
      this.#bytes = this.#bytes.subarray(end);
      const content = this.#reader?.unseal(type, fragment) ?? fragment;
      if (!Buffer.isBuffer(content)) throw new Error(`a record that does not open: ${content}`);
      return { type, content };
    }
    if (this.#isReset) return 'reset';
    return this.socket.readableEnded || this.socket.closed ? 'end' : null;
  }

  /** Sends a record, sealed where there are keys; `spoil` as in CbcWriter. */
  send(type: number, content: Buffer, spoil?: (plain: Buffer) => void): void {
    const plain = (): Buffer => Buffer.concat([Buffer.from([type]), uint(this.#version, 2), vector(2, content)]);
    this.socket.write(this.#writer?.seal(type, content, spoil) ?? plain());
  }

  /** Sends a hello; what comes back is left for `next` or `flight`. */
  hello({ protocol = 'TLSv1.2', suite = AES128_SHA, ...options }: Partial<RawHello> = {}): void {
    const extras: Partial<HelloOptions> = options;
    const hello = clientHello({ protocol, suites: uint16s([suite]), serverName: null, ...extras });
    this.#version = VERSION_CODES[protocol];
    this.#randoms.client = hello.random;
    this.#transcript = [hello.message];
    this.socket.write(hello.record);
  }

  /** The server's messages, to ServerHelloDone, or to its Finished where it takes a session up again; by their types. */
  async flight(): Promise<Map<number, Buffer>> {
    const messages = new Map<number, Buffer>();
    while (!messages.has(14) && !messages.has(20)) {
      const event = await this.next();
      if (typeof event === 'string' || event.type === 21) throw new Error(`no flight: ${JSON.stringify(event)}`);
      if (event.type === 20) this.#readSealed();
      else this.#readMessages(event.content, messages);
    }
    return messages;
  }

  #readMessages(content: Buffer, messages: Map<number, Buffer>): void {
    let bytes = Buffer.concat([this.#serverMessages, content]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUIntBE(1, 3)) {
      const whole = bytes.subarray(0, 4 + bytes.readUIntBE(1, 3));
      bytes = bytes.subarray(whole.length);
      messages.set(whole[0] ?? 0, whole);
      this.#transcript.push(whole);
      if (whole[0] === 2) this.#randoms.server = whole.subarray(6, 38);
      if (whole[0] === 11) this.#readCertificate(whole);
    }
    this.#serverMessages = bytes;
  }

  #readCertificate(whole: Buffer): void {
    const length = whole.readUIntBE(CERTIFICATE_LENGTHS - 3, 3);
    this.#certificate = new X509Certificate(whole.subarray(CERTIFICATE_LENGTHS, CERTIFICATE_LENGTHS + length));
    this.#modulusBytes = (this.#certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  }

  #readSealed(): void {
    const keys = connectionKeys(this.#version, this.#master, this.#randoms, KEY_BYTES);
    this.#reader = new CbcReader(this.#version, keys.server, 'checked');
  }

  /** A premaster secret with its PKCS#1 padding, as it should be. */
  paddedPremaster(): Buffer {
    const secret = Buffer.concat([uint(this.#version, 2), randomBytes(46)]);
    const padding = Buffer.alloc(this.#modulusBytes - 3 - secret.length, 0xa5);
    return Buffer.concat([Buffer.from([0, 2]), padding, Buffer.from([0]), secret]);
  }

  /** Sends the ClientKeyExchange with `padded` encrypted as it is. */
  keyExchange(padded = this.paddedPremaster()): void {
    const key = this.#certificate?.publicKey;
    if (key === undefined) throw new Error('no certificate was seen');
    const encrypted = publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, padded);
    const whole = message(16, vector(2, encrypted));
    this.#master = masterSecret(this.#version, padded.subarray(-48), this.#randoms);
    this.#transcript.push(whole);
    this.send(22, whole);
  }

  /** Has the master secret of another connection, as one does with a ticket. */
  resume(other: RawClient): void {
    this.#master = other.#master;
  }

  changeCipherSpec(): void {
    this.send(20, Buffer.from([1]));
    const keys = connectionKeys(this.#version, this.#master, this.#randoms, KEY_BYTES);
    this.#writer = new CbcWriter(this.#version, keys.client);
  }

  finished(spoil?: (plain: Buffer) => void): void {
    const transcript = Buffer.concat(this.#transcript);
    const whole = message(20, verifyData(this.#version, this.#master, 'client', transcript));
    this.#transcript.push(whole);
    this.send(22, whole, spoil);
  }

  /** A whole handshake, and what the server sent after the client's Finished. */
  async handshake(hello: Partial<RawHello> = {}): Promise<Map<number, Buffer>> {
    this.hello(hello);
    await this.flight();
    this.keyExchange();
    this.changeCipherSpec();
    this.finished();
    return this.flight();
  }
}
