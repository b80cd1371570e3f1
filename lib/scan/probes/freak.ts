import { suiteProbe } from './by-suite';

/** CVE-2015-0204: clients can be brought to take the 512-bit RSA key of an export suite. */
export const freak = suiteProbe('freak', {
  protocols: ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'],
  what: 'RSA export suites',
  why: 'its 512-bit key can be broken and used against other clients (FREAK)',
});
