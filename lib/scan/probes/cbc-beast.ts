import { suiteProbe } from './by-suite';

/** CVE-2011-3389: SSLv3 and TLS 1.0 take the last block of one record to start the next. */
export const cbcBeast = suiteProbe('cbc-beast', {
  protocols: ['SSLv3', 'TLSv1'],
  what: 'CBC suites in SSLv3 or TLS 1.0',
  why: 'clients without a countermeasure are open to BEAST',
});
