import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckId } from '../../model/checks';
import type { Cipher, CipherClass, Protocol } from '../../model/report';

/**
 * The cipher suites by code point, read once from cipher-suites.csv beside this file.
 *
 * Where the rows come from: IANA's "TLS Cipher Suites" registry (code points, names, Recommended Y/N) of January 2023
 * with the later additions and renames that tls-map (MIT) lists, Recommended D by the drafts of RFC 9847 and RFC 10015,
 * code points and names of suites that are not at IANA (EXPORT1024, FORTEZZA, old CHACHA, GOST and SM4 drafts) from
 * CryptoDataHub (facts only), OpenSSL's names as printed by OpenSSL 3.0, 1.0.2 and 1.0.1. The class follows the rules
 * of ciphersuite.info. Key exchange, authentication, encryption and MAC are parts of the name.
 */
export interface Suite {
  code: number;
  /** Upper-case hex: four digits, six for SSLv2. */
  id: string;
  name: string;
  /** '' where OpenSSL never had it. */
  opensslName: string;
  kex: string;
  auth: string;
  enc: string;
  mac: string;
  /** IANA's column: yes, no, discouraged; '' when IANA does not list it. */
  ianaRecommended: 'Y' | 'N' | 'D' | '';
  class: CipherClass;
  reasons: readonly string[];
  /** SSLv2 kinds, suites of SSLv3 to TLS 1.2, suites of TLS 1.3: three number spaces that never mix in one hello. */
  family: 'SSLv2' | 'classic' | 'TLSv1.3';
  /** Place in the table. */
  order: number;
  /** The checks that this suite alone decides, when it is accepted. */
  weaknesses: readonly CheckId[];
}

const COLUMNS = [
  'hex',
  'iana_name',
  'openssl_name',
  'kex',
  'auth',
  'enc',
  'mac',
  'iana_recommended',
  'class',
  'reason',
];

/** Reads the table; throws where a row is not as the header says, since a silent gap would hide a weakness. */
export function parseSuites(csv: string): Suite[] {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/);
  if (header !== COLUMNS.join(',')) throw new Error(`cipher-suites.csv: the header is not ${COLUMNS.join(',')}`);
  return lines.flatMap((line, order) => {
    const cells = line.split(',');
    const [hex = '', name = '', opensslName = '', kex = '', auth = '', enc = '', mac = '', iana = '', kind = ''] =
      cells;
    if (cells.length !== COLUMNS.length || !/^([0-9a-f]{4}|[0-9a-f]{6})$/.test(hex)) {
      throw new Error(`cipher-suites.csv: line ${order + 2} is not a suite`);
    }
    if (kind === 'signal') return []; // signalling values are no suites
    if (!isClass(kind)) throw new Error(`cipher-suites.csv: line ${order + 2} has the unknown class ${kind}`);
    const parts = { kex, auth, enc, mac, reasons: splitReasons(cells[9] ?? '') };
    const family: Suite['family'] = hex.length === 6 ? 'SSLv2' : kex === 'TLS13' ? 'TLSv1.3' : 'classic';
    return {
      code: Number.parseInt(hex, 16),
      id: hex.toUpperCase(),
      name,
      opensslName,
      ianaRecommended: iana === 'Y' || iana === 'N' || iana === 'D' ? iana : '',
      class: kind,
      family,
      order,
      ...parts,
      weaknesses: weaknessesOf(parts, family),
    };
  });
}

function isClass(text: string): text is CipherClass {
  return text === 'insecure' || text === 'weak' || text === 'secure' || text === 'recommended';
}

/** `RC4(RFC7465 MUST NOT); CBC mode(Lucky13; BEAST on TLS1.0)`: a semicolon inside brackets parts nothing. */
function splitReasons(text: string): string[] {
  return (text.match(/[^;(]+(\([^)]*\))?/g) ?? []).map(reason => reason.trim()).filter(reason => reason !== '');
}

/** What is wrong with a suite in the words of the checks; what else a check asks (protocol, bits) is its own business. */
function weaknessesOf(
  suite: Pick<Suite, 'kex' | 'auth' | 'enc' | 'reasons'>,
  family: Suite['family'],
): readonly CheckId[] {
  const { kex, auth, enc, reasons } = suite;
  const found: CheckId[] = [];
  const isExport = reasons.some(reason => reason.startsWith('EXPORT')) || kex.includes('EXPORT');
  if (enc === 'NULL') found.push('null-cipher');
  if (auth === 'anon' || auth === 'NULL') found.push('anonymous-cipher');
  if (isExport) found.push('export-cipher');
  if (enc.startsWith('RC4')) found.push('rc4');
  if (/^DES(40)?_/.test(enc)) found.push('des');
  // 64-bit blocks (RFC 9325 section 4.1); GOST 28147 and Magma have them as well
  if (/^(3DES|DES|IDEA|RC2|FORTEZZA|28147|MAGMA)/.test(enc)) found.push('sweet32');
  if (enc.includes('CBC')) found.push('cbc-beast');
  if (family === 'SSLv2' || reasons.some(reason => reason.startsWith('no forward secrecy'))) {
    found.push('no-forward-secrecy');
  }
  if (family === 'classic' && kex === 'RSA_EXPORT') found.push('freak');
  if (isFiniteField(suite)) found.push('logjam');
  return found;
}

/** Suites whose ServerKeyExchange carries Diffie-Hellman parameters: DHE, and DH without a certificate. */
export function isFiniteField(suite: Pick<Suite, 'kex' | 'auth'>): boolean {
  return suite.kex.startsWith('DHE') || (suite.kex.startsWith('DH') && suite.auth === 'anon');
}

/** Whether the table calls it insecure or weak. */
export function isWeak(suite: Pick<Suite, 'class'>): boolean {
  return suite.class === 'insecure' || suite.class === 'weak';
}

const PROTOCOL_REASONS: Partial<Record<Protocol, string>> = {
  SSLv3: 'SSLv3(RFC7568 MUST NOT)',
  TLSv1: 'TLS 1.0(RFC8996 MUST NOT)',
  'TLSv1.1': 'TLS 1.1(RFC8996 MUST NOT)',
};

/** A suite as the report shows it. The class stays the table's own; the reasons name an outdated protocol. */
export function toCipher(suite: Suite, protocol: Protocol, port: number): Cipher {
  const ofProtocol = PROTOCOL_REASONS[protocol];
  return {
    protocol,
    id: suite.id,
    name: suite.name,
    opensslName: suite.opensslName,
    class: suite.class,
    reasons: ofProtocol === undefined ? [...suite.reasons] : [...suite.reasons, ofProtocol],
    port,
  };
}

export const SUITES: readonly Suite[] = parseSuites(readFileSync(join(__dirname, 'cipher-suites.csv'), 'utf8'));

const BY_CODE: Record<Suite['family'], ReadonlyMap<number, Suite>> = {
  SSLv2: byCode('SSLv2'),
  classic: byCode('classic'),
  'TLSv1.3': byCode('TLSv1.3'),
};

function byCode(family: Suite['family']): ReadonlyMap<number, Suite> {
  return new Map(SUITES.filter(suite => suite.family === family).map(suite => [suite.code, suite]));
}

/** The suite of a code point; undefined for one that the table does not have. */
export function findSuite(family: Suite['family'], code: number): Suite | undefined {
  return BY_CODE[family].get(code);
}
