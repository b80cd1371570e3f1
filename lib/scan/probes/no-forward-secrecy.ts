import { suiteProbe } from './by-suite';

/** Advice: RFC 9325 section 4.1, RFC 10015 for TLS 1.2. */
export const noForwardSecrecy = suiteProbe('no-forward-secrecy', {
  what: 'suites without forward secrecy',
  why: 'who gets the key one day can read what was recorded before',
});
