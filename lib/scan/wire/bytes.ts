import { randomFillSync } from 'node:crypto';

/**
 * What a server sent is not what it should be. The only error that the parsers of this folder throw.
 * `NOT_TLS`: the first bytes are no TLS record at all; `MALFORMED`: they are, and then something does not add up.
 */
export class WireError extends Error {
  constructor(
    readonly kind: 'NOT_TLS' | 'MALFORMED',
    message: string,
  ) {
    super(message);
    this.name = 'WireError';
  }
}

/** Reads numbers and vectors (RFC 8446 section 3) off a buffer; every step is checked against its end. */
export class ByteReader {
  #offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get remaining(): number {
    return this.bytes.length - this.#offset;
  }

  /** Unsigned, big-endian, `width` bytes (1 to 4). */
  number(width: number): number {
    const offset = this.#advance(width);
    return this.bytes.readUIntBE(offset, width);
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Buffer {
    const offset = this.#advance(length);
    return this.bytes.subarray(offset, offset + length);
  }

  /** A vector whose length stands before it in `width` bytes. */
  vector(width: number): Buffer {
    return this.take(this.number(width));
  }

  #advance(length: number): number {
    if (length > this.remaining)
      throw new WireError('MALFORMED', `cut off: ${length} bytes wanted, ${this.remaining} left`);
    const offset = this.#offset;
    this.#offset += length;
    return offset;
  }
}

/**
 * Bytes as they come in. They are put together only when somebody looks, so that a reader that waits until enough are
 * there pays no more for small chunks than for big ones.
 */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** All that is there, in one piece. */
  peek(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Takes the first `length` bytes off; there must be as many. */
  take(length: number): Buffer {
    const bytes = this.peek();
    this.#length = bytes.length - length;
    this.#chunks = this.#length > 0 ? [bytes.subarray(length)] : [];
    return bytes.subarray(0, length);
  }
}

/** Unsigned, big-endian, `width` bytes. */
export function uint(value: number, width: number): Buffer {
  const bytes = Buffer.allocUnsafe(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}

/** Each value in two bytes, one after the other. */
export function uint16s(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}

/** A vector: the length in `width` bytes, then the parts. */
export function vector(width: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([uint(length, width), ...parts]);
}

const pool = Buffer.allocUnsafeSlow(8192);
let used = pool.length;

/**
 * `length` (at most 8192) random bytes, never the same ones twice. Drawn in advance, since each draw costs as much as
 * the rest of a hello.
 */
export function random(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return Buffer.from(pool.subarray(used - length, used));
}
