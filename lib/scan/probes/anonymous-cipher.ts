import { suiteProbe } from './by-suite';

/** RFC 5246 appendix F.1.1.1. */
export const anonymousCipher = suiteProbe('anonymous-cipher', {
  what: 'suites without authentication',
  why: 'anybody on the way can pose as the server',
});
