import { judgeSuites } from './by-suite';
import type { Probe } from './probe';

/** CVE-2014-3566: the padding of SSLv3 is not checked, so that every CBC suite in it leaks. */
export const poodleSsl: Probe = {
  id: 'poodle-ssl',
  judge: seen =>
    judgeSuites(seen, {
      weakness: 'cbc-beast',
      protocols: ['SSLv3'],
      what: 'CBC suites in SSLv3',
      why: 'their padding leaks what is sent (POODLE)',
    }),
};
