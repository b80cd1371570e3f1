import { suiteProbe } from './by-suite';

/** RFC 9325 section 4.1: MUST NOT, less than 112 bits. */
export const exportCipher = suiteProbe('export-cipher', {
  what: 'export suites',
  why: 'their keys are short enough to be found by trying',
});
