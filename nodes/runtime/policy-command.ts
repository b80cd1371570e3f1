import { CertDeskError } from '../../lib/model/errors';
import { isRecord } from './config';

/** What a message asks of the policy instead of bringing a Finding. */
export type Command =
  | { name: 'snooze'; key: string; until: string }
  | { name: 'acknowledge'; key: string; until?: string }
  | { name: 'retire' | 'unretire'; key: string };

/** `msg.snooze`, `msg.acknowledge`, `msg.retire` or `msg.unretire`; null for a message without one. */
export function readCommand(message: Record<string, unknown>): Command | null {
  for (const name of ['retire', 'unretire'] as const) {
    const key = message[name];
    if (key === undefined) continue;
    if (typeof key === 'string' && key.trim() !== '') return { name, key: key.trim() };
    throw new CertDeskError('BAD_MESSAGE', `msg.${name} is a Finding's key or a place written domain@ip.`);
  }
  for (const name of ['snooze', 'acknowledge'] as const) {
    const value = message[name];
    if (value === undefined) continue;
    const { key, until } = isRecord(value) ? value : {};
    const untilMs = until === undefined ? NaN : new Date(until as string | number).getTime();
    if (typeof key !== 'string' || (until === undefined ? name === 'snooze' : Number.isNaN(untilMs))) {
      throw new CertDeskError('BAD_MESSAGE', `msg.${name} is { key, until }; until is a date such as 2026-12-24.`);
    }
    if (until === undefined) return { name: 'acknowledge', key };
    return { name, key, until: new Date(untilMs).toISOString() };
  }
  return null;
}
