import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CertDeskError } from '../model/errors';
import type { Claim, Repository } from '../repository/repository';

const FIRST_LOOK_MS = 50;
const MOST_MS = 1_000;

export interface ClaimOptions {
  desk: string;
  key: string;
  /** After this long without renewal the claim of a killed process is free again. */
  leaseMs: number;
  /** How long to wait for somebody else to finish. */
  waitMs: number;
  now: () => Date;
  /** Told when the claim is kept after the end. */
  onKept: (ms: number) => void;
}

/** The right to act on one key, for one action. */
export interface Hold {
  readonly owner: string;
  /** Somebody else held the key before, and may have been killed after it sent something. */
  readonly wasWaitedFor: boolean;
  /** Asked before anything is sent: a process that stood still for long may have lost it. @throws CertDeskError `TIMEOUT` */
  ensure(): Promise<void>;
  /** Nobody, this process included, acts on the key for so long after the end: what was sent may still arrive. */
  keepFor(ms: number): void;
  /** It was released together with what the action came to. */
  wasReleased(): void;
}

/**
 * Does a job while nobody else, in this process or another, acts on the same key. The claim is renewed while the job
 * goes on. `begin` is how it is asked for the first time.
 * @throws CertDeskError `TIMEOUT` when the other one holds it longer than `waitMs`
 */
export async function withClaim<T>(
  repository: Pick<Repository, 'claim' | 'releaseClaim'>,
  options: ClaimOptions,
  begin: (claim: Claim) => Promise<boolean>,
  job: (hold: Hold) => Promise<T>,
): Promise<T> {
  const { desk, key, leaseMs, now } = options;
  const owner = randomUUID();
  let renewedAt = performance.now();
  let keepMs = 0;
  let isReleased = false;
  const claim = async (ms = leaseMs): Promise<boolean> => {
    const askedAt = performance.now();
    const isOurs = await repository.claim({ desk, key, owner, leaseMs: ms, now: now() });
    if (isOurs) renewedAt = askedAt;
    return isOurs;
  };
  const wasWaitedFor = !(await begin({ desk, key, owner, leaseMs, now: now() }));
  if (wasWaitedFor) await waitFor(claim, options);
  // A renewal that fails is made up for by the next one, or the lease runs out as it would for a killed process.
  const renewal = setInterval(() => void claim().catch(() => false), leaseMs / 3);
  renewal.unref();
  try {
    return await job({
      owner,
      wasWaitedFor,
      async ensure() {
        if (performance.now() - renewedAt > leaseMs / 2 && !(await claim())) throw heldByAnother(key);
      },
      keepFor: ms => (keepMs = ms),
      wasReleased: () => (isReleased = true),
    });
  } finally {
    clearInterval(renewal);
    if (keepMs > 0) {
      options.onKept(keepMs);
      await claim(keepMs);
    } else if (!isReleased) {
      await repository.releaseClaim(desk, key, owner);
    }
  }
}

async function waitFor(claim: () => Promise<boolean>, { key, waitMs }: ClaimOptions): Promise<void> {
  const started = performance.now();
  for (let pause = FIRST_LOOK_MS; performance.now() - started <= waitMs; pause = Math.min(pause * 2, MOST_MS)) {
    await delay(pause);
    if (await claim()) return;
  }
  throw heldByAnother(key);
}

function heldByAnother(key: string): CertDeskError {
  return new CertDeskError(
    'TIMEOUT',
    `Another Node-RED is still busy with the ticket of ${key}, or was until it ended. It is tried again by itself.`,
  );
}
