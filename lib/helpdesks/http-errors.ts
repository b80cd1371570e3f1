import { CertDeskError, type ErrorCode } from '../model/errors';

/** What an HTTP status that is no success means; every adapter shares it. RFC 9110 section 15, RFC 6585. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'AUTH',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  407: 'AUTH',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  412: 'CONFLICT',
  429: 'RATE_LIMITED',
};

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  AUTH: 'Check the user name, password or token of the connection.',
  FORBIDDEN: 'Give the account of the connection the right that is missing.',
  NOT_FOUND: 'Check the URL of the connection and the names in the ticket node.',
  INVALID: 'Check the fields of the ticket node against what the helpdesk demands.',
  CONFLICT: 'Look at the ticket in the helpdesk; its workflow does not allow this now.',
  RATE_LIMITED: 'It is tried again by itself.',
  SERVER: 'It is tried again by itself; if it stays so, look at the log of the helpdesk.',
  TIMEOUT: 'It is tried again by itself.',
  UNREACHABLE: 'It is tried again by itself; if it stays so, check the URL and the network.',
  TLS: 'Check the certificate of the helpdesk, or choose a TLS configuration that trusts its authority.',
  PROTOCOL: 'Check that the URL is the one of the helpdesk itself and not of a portal or login page before it.',
};

/** An error of a helpdesk with what to do about it. */
export function helpdeskError(
  code: ErrorCode,
  what: string,
  options: { cause?: unknown; retryAfterMs?: number } = {},
): CertDeskError {
  const advice = ADVICE[code];
  return new CertDeskError(code, advice === undefined ? what : `${what} ${advice}`, options);
}

export function codeOfStatus(status: number): ErrorCode {
  if (status >= 500) return 'SERVER';
  if (status >= 300 && status < 400) return 'PROTOCOL';
  return CODES[status] ?? 'INVALID';
}

/** Node.js names the same trouble in many ways: OpenSSL's verify results, its own TLS checks, handshake failures. */
const TLS_TROUBLE =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** The code of an error that came without an HTTP answer. */
export function codeOfNetworkError(code: string): ErrorCode {
  if (TLS_TROUBLE.test(code)) return 'TLS';
  if (code === 'ETIMEDOUT' || code === 'ECONNABORTED' || code === 'ERR_CANCELED') return 'TIMEOUT';
  return 'UNREACHABLE';
}

/** `Retry-After` in milliseconds: seconds or a date (RFC 9110 section 10.2.3); undefined when it is neither. */
export function retryAfterMs(header: unknown, now: Date): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
