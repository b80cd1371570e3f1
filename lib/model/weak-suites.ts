import type { Cipher, Protocol } from './report';

/** The classes of suite that can make a Finding. */
export const SUITE_CAUSES = ['insecure-suite', 'weak-suite', 'no-forward-secrecy-suite', 'suite-below-tls12'] as const;
export type SuiteCause = (typeof SUITE_CAUSES)[number];

/** From which class on a suite makes a Finding; `no-forward-secrecy`: insecure ones and those without forward secrecy. */
export type WeakFrom = 'insecure' | 'no-forward-secrecy' | 'weak';

/** Suites that make a Finding, by the setting; those below TLS 1.2 always do. */
export const COUNTED: Readonly<Record<WeakFrom, readonly SuiteCause[]>> = {
  insecure: ['insecure-suite', 'suite-below-tls12'],
  'no-forward-secrecy': ['insecure-suite', 'suite-below-tls12', 'no-forward-secrecy-suite'],
  weak: ['insecure-suite', 'suite-below-tls12', 'weak-suite'],
};

export const BELOW_TLS12: readonly Protocol[] = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1'];

/** The classes that a suite counts in. */
export function suiteCauses(cipher: Pick<Cipher, 'class' | 'name' | 'protocol'>): SuiteCause[] {
  const causes: SuiteCause[] = [];
  if (cipher.class === 'insecure') causes.push('insecure-suite');
  if (cipher.class === 'weak') causes.push('weak-suite');
  if (!hasForwardSecrecy(cipher)) causes.push('no-forward-secrecy-suite');
  if (BELOW_TLS12.includes(cipher.protocol)) causes.push('suite-below-tls12');
  return causes;
}

/** By IANA's name: a key exchange with a key that stays. TLS 1.3 has none (RFC 8446 section 1.2). */
function hasForwardSecrecy(cipher: Pick<Cipher, 'name'>): boolean {
  return !/^(TLS|SSL)_(RSA|PSK|KRB5|KEA|DH_RSA|DH_DSS|ECDH_RSA|ECDH_ECDSA)_/.test(cipher.name);
}
