import { CLASSIC } from '../versions';
import { notApplicable, ok, openQuestion, vulnerable, type Probe } from './probe';

/** CVE-2012-4929: compression before encryption leaks secrets by length. TLS 1.3 has none. */
export const crime: Probe = {
  id: 'crime',
  judge: seen => {
    const [protocol] = seen.compressed;
    if (protocol !== undefined)
      return vulnerable(`It compresses in ${protocol}, which leaks secrets by length (CRIME).`);
    const open = openQuestion(seen, CLASSIC);
    if (open !== null) return open;
    const isSpoken = CLASSIC.some(one => seen.protocols[one].state === 'offered');
    return isSpoken
      ? ok('It was offered DEFLATE and did not take it.')
      : notApplicable('It speaks no version that has compression.');
  },
};
