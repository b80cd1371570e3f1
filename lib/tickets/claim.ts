import { setTimeout as delay } from 'node:timers/promises';
import { CertDeskError } from '../model/errors';
import type { Repository } from '../repository/repository';

const FIRST_LOOK_MS = 50;
const MOST_MS = 1_000;

export interface ClaimOptions {
  desk: string;
  key: string;
  /** Tells this desk object from every other one, in this process and elsewhere. */
  owner: string;
  /** After this long without renewal the claim of a killed process is free again. */
  leaseMs: number;
  /** How long to wait for somebody else to finish. */
  waitMs: number;
  now(): Date;
}

/**
 * Does a job while nobody else, in this process or another, acts on the same key. The claim is renewed while the job
 * goes on. @throws CertDeskError `TIMEOUT` when the other one holds it longer than `waitMs`
 */
export async function withClaim<T>(
  repository: Pick<Repository, 'claim' | 'releaseClaim'>,
  options: ClaimOptions,
  job: () => Promise<T>,
): Promise<T> {
  const { desk, key, owner, leaseMs } = options;
  const claim = (): Promise<boolean> => repository.claim(desk, key, owner, leaseMs, options.now());
  await waitFor(claim, options);
  // A renewal that fails is made up for by the next one, or the lease runs out as it would for a killed process.
  const renewal = setInterval(() => void claim().catch(() => false), leaseMs / 3);
  renewal.unref();
  try {
    return await job();
  } finally {
    clearInterval(renewal);
    await repository.releaseClaim(desk, key, owner);
  }
}

async function waitFor(claim: () => Promise<boolean>, options: ClaimOptions): Promise<void> {
  const started = performance.now();
  for (let pause = FIRST_LOOK_MS; !(await claim()); pause = Math.min(pause * 2, MOST_MS)) {
    if (performance.now() - started > options.waitMs) {
      throw new CertDeskError(
        'TIMEOUT',
        `Another Node-RED is still busy with the ticket of ${options.key}. It is tried again by itself.`,
      );
    }
    await delay(pause);
  }
}
