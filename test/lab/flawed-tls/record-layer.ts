import type { Socket } from 'node:net';
import { uint, vector } from '../../../lib/scan/wire/bytes';
import type { CbcReader, CbcWriter } from './cbc-records';

export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const;
export const ALERT = {
  closeNotify: 0,
  unexpectedMessage: 10,
  decompressionFailure: 30,
  handshakeFailure: 40,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  inappropriateFallback: 86,
  noRenegotiation: 100,
} as const;
const MAX_FRAGMENT = 2 ** 14;
const HEADER = 5;

/** Told by what was read that the connection ends with this alert. */
export class FatalAlert extends Error {
  constructor(readonly description: number) {
    super(`alert ${description}`);
  }
}

/** Records in and out of one connection (RFC 5246 section 6), in the clear until there are keys. */
export class RecordLayer {
  reader: CbcReader | null = null;
  writer: CbcWriter | null = null;
  /** Of records in the clear. */
  version = 0x0301;
  #bytes: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(private readonly socket: Socket) {}

  /** Ended, or to be silent from now on. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Hands each record that is whole to `onRecord`; a FatalAlert that it throws is sent, and ends the connection. */
  push(chunk: Buffer, onRecord: (type: number, content: Buffer) => void): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    try {
      while (!this.#isOver && this.#bytes.length > 0) {
        const [type = 0] = this.#bytes;
        if ((type & 0x80) !== 0) throw new FatalAlert(ALERT.protocolVersion); // a hello of SSLv2
        if (this.#bytes.length < HEADER) return;
        const end = HEADER + this.#bytes.readUInt16BE(3);
        if (this.#bytes.length < end) return;
        const fragment = this.#bytes.subarray(HEADER, end);
        this.#bytes = this.#bytes.subarray(end);
        const content = this.reader?.unseal(type, fragment) ?? fragment;
        if (typeof content === 'number') throw new FatalAlert(content);
        if (content === 'close') this.end();
        else onRecord(type, content);
      }
    } catch (thrown) {
      this.fail(thrown instanceof FatalAlert ? thrown.description : ALERT.decodeError);
    }
  }

  send(type: number, content: Buffer): void {
    for (let at = 0; at < content.length; at += MAX_FRAGMENT) {
      const part = content.subarray(at, at + MAX_FRAGMENT);
      const plain = (): Buffer => Buffer.concat([Buffer.from([type]), uint(this.version, 2), vector(2, part)]);
      this.socket.write(this.writer?.seal(type, part) ?? plain());
    }
  }

  /** Ends it with an alert. */
  fail(alert: number): void {
    this.send(RECORD.alert, Buffer.from([alert === ALERT.closeNotify ? 1 : 2, alert]));
    this.end();
  }

  /** Ends it without an alert. */
  end(): void {
    this.#isOver = true;
    this.socket.end();
  }

  reset(): void {
    this.#isOver = true;
    this.socket.resetAndDestroy();
  }

  /** Stays open, and does nothing any more. */
  fallSilent(): void {
    this.#isOver = true;
  }
}
