import { suiteProbe } from './by-suite';

/** RFC 7465: MUST NOT. */
export const rc4 = suiteProbe('rc4', {
  what: 'suites with RC4',
  why: 'RFC 7465 forbids it, since its key stream is biased',
});
