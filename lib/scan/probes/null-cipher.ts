import { suiteProbe } from './by-suite';

/** RFC 9325 section 4.1: MUST NOT negotiate suites with NULL encryption. */
export const nullCipher = suiteProbe('null-cipher', {
  what: 'suites without encryption',
  why: 'everybody on the way can read what is sent',
});
