import type { Protocol } from '../../model/report';
import { isWeak, SUITES, type Suite } from './suites';

/**
 * The lists of suites that the hellos offer. Each is one array made once: the bytes of a list are kept by its identity.
 */

/** Worst first, so that a server which follows the client's order shows the worst at once. */
const SEVERITY: Readonly<Record<Suite['class'], number>> = { insecure: 0, weak: 1, secure: 2, recommended: 3 };
const worstFirst = SUITES.toSorted((a, b) => SEVERITY[a.class] - SEVERITY[b.class] || a.order - b.order);

const classic = worstFirst.filter(suite => suite.family === 'classic');
/** AEAD suites need TLS 1.2 (RFC 5288 section 4, RFC 5289 section 3): a hello of an older version leaves them out. */
const classicBeforeTls12 = classic.filter(suite => suite.mac !== 'AEAD');
const modern = worstFirst.filter(suite => suite.family === 'TLSv1.3');
const sslv2 = SUITES.filter(suite => suite.family === 'SSLv2');

const ALL: Readonly<Record<Protocol, readonly Suite[]>> = {
  SSLv2: sslv2,
  SSLv3: classicBeforeTls12,
  TLSv1: classicBeforeTls12,
  'TLSv1.1': classicBeforeTls12,
  'TLSv1.2': classic,
  'TLSv1.3': modern,
};

const weakClassicBeforeTls12 = classicBeforeTls12.filter(isWeak);
const WEAK: Readonly<Record<Protocol, readonly Suite[]>> = {
  SSLv2: sslv2,
  SSLv3: weakClassicBeforeTls12,
  TLSv1: weakClassicBeforeTls12,
  'TLSv1.1': weakClassicBeforeTls12,
  'TLSv1.2': classic.filter(isWeak),
  'TLSv1.3': modern.filter(isWeak),
};

/** Every suite that may be offered in a version. */
export function allSuites(protocol: Protocol): readonly Suite[] {
  return ALL[protocol];
}

/** The same list from its end; made once for each list. */
export function reversed(suites: readonly Suite[]): readonly Suite[] {
  const known = REVERSED.get(suites);
  if (known !== undefined) return known;
  const list = suites.toReversed();
  REVERSED.set(suites, list);
  return list;
}
const REVERSED = new WeakMap<readonly Suite[], readonly Suite[]>();

/** Those of them that the table calls insecure or weak. */
export function weakSuites(protocol: Protocol): readonly Suite[] {
  return WEAK[protocol];
}

/** What a client of today would say in TLS 1.2, then what clients of the last twenty years said; well under 128. */
export const COMMON: readonly Suite[] = [
  // ECDHE with AEAD, then DHE with AEAD
  ['C02B', 'C02F', 'C02C', 'C030', 'CCA9', 'CCA8', 'C0AC', 'C0AD', 'C0AE', 'C0AF', '009E', '009F', 'CCAA'],
  // ECDHE with CBC, static RSA, DHE with CBC
  ['C023', 'C027', 'C024', 'C028', 'C009', 'C013', 'C00A', 'C014', '009C', '009D', '003C', '003D', '002F', '0035'],
  ['0067', '006B', '0033', '0039', '0032', '0038', '0041', '0084', '0045', '0088', '0096', '009A', '0007'],
  // 3DES, RC4, single DES
  ['C008', 'C012', '0016', '0013', '000A', 'C007', 'C011', '0005', '0004', '0009', '0015', '0003', '0008', '0006'],
]
  .flat()
  .flatMap(id => SUITES.filter(suite => suite.id === id));

/** The same for a version below TLS 1.2. */
export const COMMON_BEFORE_TLS12: readonly Suite[] = COMMON.filter(suite => suite.mac !== 'AEAD');

/** Healthy suites of TLS 1.2 by the kind of certificate they need, to look for a second certificate. */
export const HEALTHY_RSA = healthyOf('RSA');
export const HEALTHY_ECDSA = healthyOf('ECDSA');

function healthyOf(auth: string): readonly Suite[] {
  return classic.filter(suite => !isWeak(suite) && suite.auth === auth);
}

/** Every weak suite of TLS 1.2, and the healthy ones of the other kind of certificate: two questions in one hello. */
export const WEAK_OR_RSA: readonly Suite[] = [...WEAK['TLSv1.2'], ...HEALTHY_RSA];
export const WEAK_OR_ECDSA: readonly Suite[] = [...WEAK['TLSv1.2'], ...HEALTHY_ECDSA];
