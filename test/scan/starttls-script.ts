import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import net from 'node:net';
import { findStarttls } from '../../lib/scan/starttls';
import { StarttlsError, type StarttlsReason } from '../../lib/scan/starttls/starttls';
import { startScripted, type LabServer } from '../lab/tls-servers';

/** What one side says: the server's or the client's bytes, in turn. */
export interface Turn {
  by: 'server' | 'client';
  bytes: Buffer;
}

export const s = (text: string): Turn => ({ by: 'server', bytes: Buffer.from(text, 'latin1') });
export const c = (text: string): Turn => ({ by: 'client', bytes: Buffer.from(text, 'latin1') });
export const sHex = (hex: string): Turn => ({ by: 'server', bytes: fromHex(hex) });
export const cHex = (hex: string): Turn => ({ by: 'client', bytes: fromHex(hex) });

function fromHex(hex: string): Buffer {
  const digits = hex.replace(/\s/g, '');
  const bytes = Buffer.from(digits, 'hex');
  assert.equal(bytes.length * 2, digits.length, 'hexadecimal, whole bytes');
  return bytes;
}

/** Lines as RFCs print them: `S: …` and `C: …`, each ended by CRLF. */
export function rfc(text: string): Turn[] {
  return text
    .trim()
    .split('\n')
    .map(line => {
      const [, side, content = ''] = /^\s*([SC]):(?: (.*))?$/.exec(line) ?? [];
      assert.ok(side !== undefined, line);
      return (side === 'S' ? s : c)(`${content}\r\n`);
    });
}

/** How a talk ended: TLS may start, it waits for more, or it gave up. */
export type Ending = 'tls' | 'waiting' | { reason: StarttlsReason; message: string };

/**
 * Plays `turns` with the protocol's talk; what the client says has to be what the script has. `turns` of the server that
 * stand together come as one chunk, or byte by byte.
 */
export function play(
  protocol: string,
  turns: readonly Turn[],
  options: { isCut: boolean; name?: string | null },
): Ending {
  const start = findStarttls(protocol);
  assert.ok(start !== undefined, protocol);
  const talk = start({ name: options.name === undefined ? 'a.example' : options.name });
  let said = Buffer.alloc(0);
  let isDone = false;
  const step = (chunk?: Buffer): void => {
    const result = chunk === undefined ? talk.next() : talk.next(chunk);
    isDone = result.done === true;
    if (result.value !== null) said = Buffer.concat([said, result.value]);
  };
  try {
    step();
    for (const turn of joined(turns)) {
      if (turn.by === 'client') {
        assert.equal(said.toString('latin1'), turn.bytes.toString('latin1'));
        said = Buffer.alloc(0);
        continue;
      }
      assert.equal(said.length, 0, `it said ${said.toString('latin1')}`);
      for (const chunk of options.isCut ? [...turn.bytes].map(byte => Buffer.from([byte])) : [turn.bytes]) step(chunk);
    }
    assert.equal(said.length, 0, `it said ${said.toString('latin1')}`);
  } catch (error) {
    if (!(error instanceof StarttlsError)) throw error;
    return { reason: error.reason, message: error.message };
  }
  return isDone ? 'tls' : 'waiting';
}

function joined(turns: readonly Turn[]): Turn[] {
  const result: Turn[] = [];
  for (const { by, bytes } of turns) {
    const last = result.at(-1);
    if (last?.by === by) last.bytes = Buffer.concat([last.bytes, bytes]);
    else result.push({ by, bytes });
  }
  return result;
}

/** A server that plays `turns` on each connection, and then hands it to `tlsServer`; null ends it there. */
export function startStarttls(turns: readonly Turn[], tlsServer: LabServer | null): Promise<LabServer> {
  const script = joined(turns);
  return startScripted(socket => {
    void follow(socket, script).then(rest => {
      if (rest === null) return;
      if (tlsServer === null) return void socket.end();
      const onward = net.connect(tlsServer.port, tlsServer.host);
      onward.on('error', () => socket.destroy());
      socket.on('close', () => onward.destroy());
      onward.write(rest);
      socket.pipe(onward).pipe(socket);
    });
  });
}

/** What came after the last turn; null when the client went off, or said something that is not in the script. */
async function follow(socket: Socket, script: readonly Turn[]): Promise<Buffer | null> {
  let bytes = Buffer.alloc(0);
  let wake = (): void => {};
  const listen = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk]);
    wake();
  };
  socket.on('data', listen).on('close', () => wake());
  for (const turn of script) {
    if (turn.by === 'server') {
      socket.write(turn.bytes);
      continue;
    }
    while (bytes.length < turn.bytes.length && !socket.destroyed) await new Promise<void>(resolve => (wake = resolve));
    if (!bytes.subarray(0, turn.bytes.length).equals(turn.bytes)) {
      socket.destroy();
      return null;
    }
    bytes = bytes.subarray(turn.bytes.length);
  }
  socket.pause();
  socket.off('data', listen);
  return bytes;
}
