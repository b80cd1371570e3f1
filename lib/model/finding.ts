import type { Certificate } from './certificate';
import type { Endpoint } from './endpoint';
import type { Check, Cipher } from './report';

/** What is wrong (or no longer wrong) with one certificate, or with one certificate at one place. */
export interface Finding {
  kind: 'expiry' | 'vulnerability';
  state: 'active' | 'cleared' | 'unknown';
  /** At most 40 of `[a-z0-9-]`, stable across versions; see keys.ts. */
  key: string;
  certificate: Certificate;
  /** All places of an expiring certificate; the ports of one vulnerable place. Sorted by name. */
  endpoints: Endpoint[];
  detectedAt: string;
  /** Null: a notice of its own each time. */
  runId: string | null;
  forced?: boolean;
  daysLeft?: number;
  replacedBy?: Certificate;
  weakCiphers?: Cipher[];
  vulnerabilities?: Check[];
  scannedAt?: string;
}

export const REASONS = ['new', 'due', 'worse', 'standing', 'cleared'] as const;
export type Reason = (typeof REASONS)[number];

/** What a policy says of a Finding; travels as `msg.notification`. */
export interface Notification {
  reason: Reason;
  /** The threshold (days left) that fired, else null. */
  threshold: number | null;
  /** How often this key was told, this time included. */
  count: number;
  /** When it was told before, ISO 8601, null the first time. */
  lastAt: string | null;
}

/** Whether a value that came in a message is a Finding, so that anything else can be refused as BAD_MESSAGE. */
export function isFinding(value: unknown): value is Finding {
  if (typeof value !== 'object' || value === null) return false;
  const f = value as Partial<Finding>;
  return (
    (f.kind === 'expiry' || f.kind === 'vulnerability') &&
    (f.state === 'active' || f.state === 'cleared' || f.state === 'unknown') &&
    typeof f.key === 'string' &&
    /^[a-z0-9-]{1,40}$/.test(f.key) &&
    typeof f.certificate === 'object' &&
    f.certificate !== null &&
    typeof f.certificate.notAfter === 'string' &&
    Array.isArray(f.endpoints) &&
    f.endpoints.length > 0 &&
    f.endpoints.every(isEndpoint)
  );
}

function isEndpoint(value: unknown): value is Endpoint {
  if (typeof value !== 'object' || value === null) return false;
  const { name, domain, ip, port } = value as Partial<Endpoint>;
  return (
    typeof name === 'string' &&
    (domain === null || typeof domain === 'string') &&
    typeof ip === 'string' &&
    Number.isInteger(port)
  );
}

/** What everything of a run carries: its id, and `force` where it was asked for by hand. */
export function runOf({ runId, forced }: Pick<Finding, 'runId' | 'forced'>): { runId: string | null; force?: true } {
  return { runId, ...(forced === true ? { force: true } : {}) };
}
