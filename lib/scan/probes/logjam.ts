import { primesUnknown } from '../observation';
import { acceptedWith, judgeSuites } from './by-suite';
import { cannotTell, ok, openQuestion, some, vulnerable, type Probe } from './probe';

/** What a state can break (weakdh.org); RFC 9325 section 4.1 asks for 2048. */
const BROKEN_BITS = 1024;
const PROTOCOLS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2'] as const;

/** CVE-2015-4000: Diffie-Hellman with export suites or a prime of 1024 bits and less. */
export const logjam: Probe = {
  id: 'logjam',
  judge: seen => {
    const found = acceptedWith(seen, 'logjam', PROTOCOLS);
    const exports = found.filter(({ suite }) => suite.kex.includes('EXPORT'));
    if (exports.length > 0) {
      const names = exports.map(({ protocol, suite }) => `${suite.name} in ${protocol}`);
      return vulnerable(`Accepts Diffie-Hellman export suites: ${some(names)}; their 512-bit prime can be broken.`);
    }
    const smallest = seen.primes.toSorted((a, b) => a.bits - b.bits)[0];
    if (smallest !== undefined && smallest.bits <= BROKEN_BITS) {
      return vulnerable(
        `Its Diffie-Hellman prime has ${smallest.bits} bits (${smallest.suite.name} in ${smallest.protocol}), ${BROKEN_BITS} and less can be broken.`,
      );
    }
    if (found.length === 0) {
      return judgeSuites(seen, { weakness: 'logjam', protocols: PROTOCOLS, what: 'Diffie-Hellman suites', why: '' });
    }
    const [unknown] = primesUnknown(seen);
    if (unknown !== undefined) return cannotTell(`The prime that comes with ${unknown.name} was not seen.`);
    const undecided = seen.undecided.find(({ suites }) => suites.some(suite => suite.weaknesses.includes('logjam')));
    if (undecided !== undefined) {
      return cannotTell(
        `Not all Diffie-Hellman suites of ${undecided.protocol} could be asked for: ${undecided.reason}.`,
      );
    }
    const open = openQuestion(seen, PROTOCOLS);
    if (open !== null) return open;
    if (smallest === undefined) return cannotTell('It accepts Diffie-Hellman suites, and no prime was seen.');
    return ok(`Its smallest Diffie-Hellman prime has ${smallest.bits} bits.`);
  },
};
