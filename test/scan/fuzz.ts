/** The seed of all random choices; a failure tells the one that replays it. */
const SEED = Number(process.env['CERTDESK_FUZZ_SEED'] ?? 20_261_125);
/** Rounds of all parsers together; `npm run test:long` asks for more. */
const ROUNDS = Number(process.env['CERTDESK_FUZZ_ROUNDS'] ?? 10_000);

/** Its part of the rounds, in hundredths. */
export function roundsOf(percent: number): number {
  return Math.ceil((ROUNDS * percent) / 100);
}

/** Whole numbers that look random and are the same ones for the same seed. */
export class Random {
  #counter = 0;

  constructor(private readonly seed: number) {}

  /** From 0 to `limit`, that left out. */
  below(limit: number): number {
    this.#counter += 1;
    let bits = Math.imul(this.seed ^ Math.imul(this.#counter, 0x9e3779b1), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 15), 0x2545f491);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return Math.floor(((bits ^ (bits >>> 16)) >>> 0) * (limit / 2 ** 32));
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Runs `round` with random choices of its own each time; what it throws tells how to replay that round alone. */
export function fuzz(rounds: number, round: (random: Random, index: number) => void): void {
  for (let index = 0; index < rounds; index += 1) {
    const seed = seedOf(index);
    try {
      round(new Random(seed), index);
    } catch (thrown) {
      throw replayable(thrown, seed);
    }
  }
}

/** The same for rounds that wait, some of them at the same time. The first that fails ends it when all begun have ended. */
export async function fuzzAsync(
  { rounds, atOnce }: { rounds: number; atOnce: number },
  round: (random: Random) => Promise<void>,
): Promise<void> {
  let next = 0;
  const failures: Error[] = [];
  const work = async (): Promise<void> => {
    while (next < rounds && failures.length === 0) {
      const seed = seedOf(next);
      next += 1;
      await round(new Random(seed)).catch((thrown: unknown) => failures.push(replayable(thrown, seed)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures[0] !== undefined) throw failures[0];
}

/** The first round has the seed itself, so that a failing round can be the first. */
function seedOf(index: number): number {
  return (SEED + Math.imul(index, 0x61c88647)) >>> 0;
}

function replayable(thrown: unknown, seed: number): Error {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Error(`replay with CERTDESK_FUZZ_SEED=${seed} CERTDESK_FUZZ_ROUNDS=1: ${message}`, { cause: thrown });
}

/** Where a kind of bytes is worth changing. */
export interface Anatomy {
  /** Pieces that may be repeated, left out and swapped; together all the bytes. */
  pieces(bytes: Buffer): Buffer[];
  /** Numbers that say how long something is. */
  lengths(bytes: Buffer): { at: number; width: number }[];
}

/** Cuts into three anywhere, and takes any bytes for a length. */
export const PLAIN: Anatomy = {
  pieces: bytes => {
    const third = Math.ceil(bytes.length / 3);
    return [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)];
  },
  lengths: () => [],
};

/** TLS records, and the handshake message at the start of each. */
export const TLS: Anatomy = {
  pieces: bytes => {
    const records: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 5 <= bytes.length ? at + 5 + bytes.readUInt16BE(at + 3) : bytes.length;
      records.push(bytes.subarray(at, end));
      at = end;
    }
    return records;
  },
  lengths: bytes => {
    let at = 0;
    return TLS.pieces(bytes).flatMap(record => {
      const found = [
        { at: at + 3, width: 2 },
        { at: at + 6, width: 3 },
      ];
      at += record.length;
      return found;
    });
  },
};

/** Lines of text. */
export const TEXT: Anatomy = {
  pieces: bytes =>
    bytes
      .toString('latin1')
      .split(/(?<=\n)/)
      .map(line => Buffer.from(line, 'latin1')),
  lengths: () => [],
};

type Mutation = (bytes: Buffer, random: Random, anatomy: Anatomy) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  function flip(bytes, random) {
    const at = random.below(bytes.length);
    return patch(bytes, at, Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]));
  },
  function overwrite(bytes, random) {
    return patch(bytes, random.below(bytes.length), random.bytes(1 + random.below(4)));
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(20)), bytes.subarray(at)]);
  },
  function leaveOut(bytes, random) {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(40))]);
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function repeatPiece(bytes, random, anatomy) {
    const pieces = anatomy.pieces(bytes);
    const piece = random.pick(pieces);
    pieces.splice(random.below(pieces.length + 1), 0, ...Array.from({ length: 1 + random.below(3) }, () => piece));
    return Buffer.concat(pieces);
  },
  function swapPieces(bytes, random, anatomy) {
    const pieces = anatomy.pieces(bytes);
    const [moved = Buffer.alloc(0)] = pieces.splice(random.below(pieces.length), 1);
    pieces.splice(random.below(pieces.length + 1), 0, moved);
    return Buffer.concat(pieces);
  },
  function leaveOutPiece(bytes, random, anatomy) {
    const pieces = anatomy.pieces(bytes);
    pieces.splice(random.below(pieces.length), 1);
    return Buffer.concat(pieces);
  },
  function lieAboutLength(bytes, random, anatomy) {
    const anywhere = { at: random.below(bytes.length), width: 1 + random.below(3) };
    const { at, width } = random.pick([...anatomy.lengths(bytes), anywhere, anywhere]);
    const value = random.pick([0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1)]);
    const length = Buffer.alloc(width);
    length.writeUIntBE(value, 0, width);
    return patch(bytes, at, length);
  },
];

/** Up to four changes, one on top of the other. */
export function mutate(bytes: Buffer, random: Random, anatomy: Anatomy = PLAIN): Buffer {
  let result = bytes;
  for (let changes = 1 + random.below(4); changes > 0 && result.length > 0; changes -= 1) {
    result = random.pick(MUTATIONS)(result, random, anatomy);
  }
  return result;
}

/** Overwrites what is there at `at`, no further than to the end. */
function patch(bytes: Buffer, at: number, change: Buffer): Buffer {
  const result = Buffer.from(bytes);
  change.copy(result, at);
  return result;
}

/** Cuts bytes into chunks at random, some of them empty. */
export function cut(bytes: Buffer, random: Random): Buffer[] {
  const most = 1 + random.below(bytes.length);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + random.below(most + 1);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** One byte a chunk. */
export function byteByByte(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length }, (_, at) => bytes.subarray(at, at + 1));
}
