import { suiteProbe } from './by-suite';

/** RFC 5469, RFC 9325 section 4.1. */
export const des = suiteProbe('des', { what: 'suites with single DES', why: 'its 56 bits can be found by trying' });
