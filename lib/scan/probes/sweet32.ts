import { suiteProbe } from './by-suite';

/** CVE-2016-2183: birthday attacks on blocks of 64 bits. */
export const sweet32 = suiteProbe('sweet32', {
  what: 'suites with 64-bit blocks',
  why: 'long connections leak what they carry (SWEET32)',
});
