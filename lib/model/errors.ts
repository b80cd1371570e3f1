/** Every error a user can meet has one of these codes (see "Errors" in docs/contract.md). */
export type ErrorCode =
  | 'CONFIG'
  | 'BAD_TARGET'
  | 'BUSY'
  | 'STOPPED'
  | 'AUTH'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'INVALID'
  | 'CONFLICT'
  | 'RATE_LIMITED'
  | 'SERVER'
  | 'TIMEOUT'
  | 'UNREACHABLE'
  | 'TLS'
  | 'PROTOCOL'
  | 'REPOSITORY'
  | 'BAD_MESSAGE';

/** Codes that may pass by themselves: the work is queued and tried again. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['UNREACHABLE', 'TIMEOUT', 'RATE_LIMITED', 'SERVER']);

/** An error with a code of the contract; its text tells the user what to do next and holds no secret. */
export class CertDeskError extends Error {
  readonly code: ErrorCode;
  /** How long the other side asked us to wait (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CertDeskError';
    this.code = code;
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether trying again later can help without a person. */
  get isPassing(): boolean {
    return PASSING.has(this.code);
  }
}

/** Any thrown value as a CertDeskError; what we did not foresee takes `code`. */
export function asCertDeskError(thrown: unknown, code: ErrorCode): CertDeskError {
  if (thrown instanceof CertDeskError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CertDeskError(code, message, { cause: thrown });
}
