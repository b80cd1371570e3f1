import { randomBytes } from 'node:crypto';
import { vector } from '../../../lib/scan/wire/bytes';
import { MEMORY, type Flaws } from './flaws';

const REQUEST = 1;
const RESPONSE = 2;
/** Type and length before the payload, and the least padding after it. */
const HEADER = 3;
const PADDING = 16;

/** The answer to a HeartbeatRequest (RFC 6520 section 4); null for none. */
export function answerHeartbeat(request: Buffer, flaw: NonNullable<Flaws['heartbeat']>): Buffer | null {
  if (flaw === 'ignoring' || request.length < HEADER || request[0] !== REQUEST) return null;
  const claimed = request.readUInt16BE(1);
  if (HEADER + claimed + PADDING > request.length && flaw !== 'bleeding') return null;
  const payload = Buffer.concat([request.subarray(HEADER), MEMORY]).subarray(0, claimed);
  return Buffer.concat([Buffer.from([RESPONSE]), vector(2, payload), randomBytes(PADDING)]);
}
