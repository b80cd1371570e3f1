import { randomBytes } from 'node:crypto';
import { vector } from '../../../lib/scan/wire/bytes';
import { MEMORY, type Flaws } from './flaws';

const REQUEST = 1;
const RESPONSE = 2;
/** Type and length before the payload, and the least padding after it. */
const HEADER = 3;
const PADDING = 16;

/** The answer to a HeartbeatRequest (RFC 6520 section 4), null for none, or closing. */
export function answerHeartbeat(
  request: Buffer,
  flaw: NonNullable<Flaws['heartbeat']>,
  { isOpen }: { isOpen: boolean },
): Buffer | 'close' | null {
  if (flaw === 'late-bleeding' && !isOpen) return 'close';
  if (flaw === 'ignoring' || request.length < HEADER || request[0] !== REQUEST) return null;
  const claimed = request.readUInt16BE(1);
  const isFalse = HEADER + claimed + PADDING > request.length;
  if (isFalse && flaw === 'closing') return 'close';
  if (isFalse && flaw !== 'bleeding' && flaw !== 'late-bleeding') return null;
  const payload = Buffer.concat([request.subarray(HEADER), MEMORY]).subarray(0, claimed);
  return Buffer.concat([Buffer.from([RESPONSE]), vector(2, payload), randomBytes(PADDING)]);
}
