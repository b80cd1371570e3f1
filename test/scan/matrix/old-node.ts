import { readFileSync } from 'node:fs';
import type { OldServerOptions } from '../../lab/old-servers';
import { issueByOpenssl } from './odd-certificates';
import { ids, PLAIN, type Lab, type Row } from './row';

/*
 * Releases of Node.js, each with an OpenSSL of its own. How the verdicts are known:
 * - versions and numbers of suites: nmap's ssl-enum-ciphers and sslv2 scripts and sslscan, each against the same server;
 * - heartbleed: OpenSSL's advisory of 7 April 2014 (1.0.1 to 1.0.1f), and nmap's ssl-heartbleed script, which says
 *   VULNERABLE of 0.10.0; Node.js built its OpenSSL without heartbeats from 0.10.2 on; OpenSSL 1.0.0 has none;
 * - ccs-injection: the advisory of 5 June 2014 (fixed in 1.0.0m and 1.0.1h);
 * - padding-oracle-2016-2107: the advisory of 3 May 2016 (1.0.1 before t, 1.0.2 before h), where the processor has AES
 *   instructions;
 * - no-fallback-scsv: came with 1.0.0o and 1.0.1j; s_client -fallback_scsv gets alert 86 or not;
 * - client-renegotiation: s_client's R; Node.js takes three in ten minutes;
 * - single DES and EXPORT: gone with 1.0.1s and 1.0.2g;
 * - no compression: Node.js builds OpenSSL without zlib.
 */
const ALL = 'ALL:COMPLEMENTOFALL:eNULL:aNULL';
const SINCE_111 = `${ALL}:@SECLEVEL=0`;

const hasAesInstructions = /^flags.*\baes\b/m.test(readCpuInfo());
const ORACLE_2016 = hasAesInstructions ? 'padding-oracle-2016-2107' : '';

/** Every one of them accepts NULL and static RSA, lacks TLS 1.3 and renegotiates when a client asks. */
const ALWAYS = 'null-cipher no-forward-secrecy no-tls13 no-post-quantum client-renegotiation';
const SSLV2 = 'sslv2 drown';
const SSLV3 = 'sslv3 poodle-ssl cbc-beast';
const TLS10 = 'tls10 cbc-beast';
const RC4_AND_3DES = 'rc4 sweet32';
/** What a prime of 1024 bits or less brings. */
const WEAK_DH = 'anonymous-cipher logjam';

export const OLD_NODE: readonly Row[] = [
  {
    name: 'Node.js 0.12.0 with everything on (OpenSSL 1.0.1l)',
    start: old('0.12.0', { flags: ['--enable-ssl2', '--enable-ssl3'], ciphers: `${ALL}:SSLv2` }, 512),
    suites: { SSLv2: 7, SSLv3: 40, TLSv1: 40, 'TLSv1.1': 40, 'TLSv1.2': 57 },
    vulnerable: ids(ALWAYS, SSLV2, SSLV3, TLS10, 'tls11', RC4_AND_3DES, 'des export-cipher', WEAK_DH, ORACLE_2016),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    // a key of 512 bits is short enough to be its own export key: RC4, RC2 and DES with RSA_EXPORT come on top
    name: 'Node.js 0.12.0 with an RSA key of 512 bits',
    start: async lab => {
      const { cert, key } = await issueByOpenssl(lab.ca, { bits: 512, hash: 'sha256' });
      const flags = ['--enable-ssl2', '--enable-ssl3'];
      return lab.old.start('0.12.0', { cert, key, flags, ciphers: `${ALL}:SSLv2`, dhparam: lab.dhparam(512) });
    },
    suites: { SSLv2: 7, SSLv3: 43, TLSv1: 43, 'TLSv1.1': 43, 'TLSv1.2': 60 },
    vulnerable: ids(
      [ALWAYS, SSLV2, SSLV3, TLS10, 'tls11', RC4_AND_3DES, 'des export-cipher', WEAK_DH, ORACLE_2016].join(' '),
      'freak weak-key',
    ),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.10.0 (OpenSSL 1.0.1e)',
    start: old('0.10.0', { ciphers: `${ALL}:SSLv2` }),
    suites: { SSLv2: 7, SSLv3: 12, TLSv1: 12, 'TLSv1.1': 12, 'TLSv1.2': 17 },
    vulnerable: ids(
      ALWAYS,
      [SSLV2, SSLV3, TLS10, 'tls11', RC4_AND_3DES, 'des export-cipher', ORACLE_2016].join(' '),
      'heartbleed ccs-injection no-fallback-scsv',
    ),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.8.28 (OpenSSL 1.0.0m)',
    start: old('0.8.28', { ciphers: ALL }),
    suites: { SSLv2: 6, SSLv3: 8, TLSv1: 8 },
    vulnerable: ids(ALWAYS, SSLV2, SSLV3, TLS10, RC4_AND_3DES, 'des export-cipher no-fallback-scsv'),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.10.48 with SSLv3 (OpenSSL 1.0.1u)',
    start: old('0.10.48', { flags: ['--enable-ssl3'], ciphers: ALL }),
    suites: { SSLv3: 11, TLSv1: 11, 'TLSv1.1': 11, 'TLSv1.2': 16 },
    vulnerable: ids(ALWAYS, SSLV3, TLS10, 'tls11', RC4_AND_3DES),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  // Not Node.js 4.0.0 (OpenSSL 1.0.2d): the record that shows CVE-2016-2107 leaves it spinning, see docs/decisions.md.
  {
    name: 'Node.js 0.8.28, SSLv2 alone',
    start: old('0.8.28', { ciphers: ALL, secureProtocol: 'SSLv2_method' }),
    suites: { SSLv2: 6 },
    // everything that SSLv3 brought is not there: renegotiation, extensions, RSA as TLS pads it
    vulnerable: ids(SSLV2, RC4_AND_3DES, 'des export-cipher no-forward-secrecy no-tls13 no-post-quantum'),
    notApplicable: ids(
      PLAIN,
      'heartbleed ccs-injection padding-oracle-2016-2107 poodle-tls robot crime insecure-renegotiation',
      'client-renegotiation ticketbleed no-fallback-scsv',
    ),
    most: 36, // it says no to every hello of TLS by closing, and that is asked again
  },
  {
    name: 'Node.js 0.10.48, SSLv3 alone',
    start: old('0.10.48', { flags: ['--enable-ssl3'], ciphers: ALL, secureProtocol: 'SSLv3_method' }),
    suites: { SSLv3: 11 },
    vulnerable: ids(ALWAYS, SSLV3, RC4_AND_3DES),
    notApplicable: ids(PLAIN, 'padding-oracle-2016-2107 poodle-tls no-fallback-scsv ticketbleed'),
    most: 30,
  },
  {
    name: 'Node.js 0.12.0, TLS 1.0 alone',
    start: old('0.12.0', { ciphers: ALL, secureProtocol: 'TLSv1_method' }, 512),
    suites: { TLSv1: 40 },
    vulnerable: ids(ALWAYS, TLS10, RC4_AND_3DES, 'des export-cipher', WEAK_DH, ORACLE_2016),
    notApplicable: ids(PLAIN, 'no-fallback-scsv'),
    most: 30,
  },

  {
    name: 'Node.js 0.8.6 (OpenSSL 1.0.0f)',
    isLong: true,
    start: old('0.8.6', { ciphers: ALL }),
    suites: { SSLv2: 6, SSLv3: 8, TLSv1: 8 },
    vulnerable: ids(ALWAYS, SSLV2, SSLV3, TLS10, RC4_AND_3DES, 'des export-cipher no-fallback-scsv ccs-injection'),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.10.1 (OpenSSL 1.0.1e)',
    isLong: true,
    start: old('0.10.1', { ciphers: `${ALL}:SSLv2` }),
    suites: { SSLv2: 7, SSLv3: 12, TLSv1: 12, 'TLSv1.1': 12, 'TLSv1.2': 17 },
    vulnerable: ids(
      ALWAYS,
      [SSLV2, SSLV3, TLS10, 'tls11', RC4_AND_3DES, 'des export-cipher', ORACLE_2016].join(' '),
      'heartbleed ccs-injection no-fallback-scsv',
    ),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.10.20 (OpenSSL 1.0.1e, no heartbeats)',
    isLong: true,
    start: old('0.10.20', { ciphers: `${ALL}:SSLv2` }),
    suites: { SSLv2: 7, SSLv3: 12, TLSv1: 12, 'TLSv1.1': 12, 'TLSv1.2': 17 },
    vulnerable: ids(
      ALWAYS,
      [SSLV2, SSLV3, TLS10, 'tls11', RC4_AND_3DES, 'des export-cipher', ORACLE_2016].join(' '),
      'ccs-injection no-fallback-scsv',
    ),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.11.15 (OpenSSL 1.0.1j)',
    isLong: true,
    start: old('0.11.15', { ciphers: ALL }, 512),
    suites: { TLSv1: 40, 'TLSv1.1': 40, 'TLSv1.2': 57 },
    vulnerable: ids(ALWAYS, TLS10, 'tls11', RC4_AND_3DES, 'des export-cipher', WEAK_DH, ORACLE_2016),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 0.12.18 (OpenSSL 1.0.1u)',
    isLong: true,
    start: old('0.12.18', { flags: ['--enable-ssl3'], ciphers: ALL }, 768),
    suites: { SSLv3: 34, TLSv1: 34, 'TLSv1.1': 34, 'TLSv1.2': 51 },
    vulnerable: ids(ALWAYS, SSLV3, TLS10, 'tls11', RC4_AND_3DES, WEAK_DH),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  ...(['4.9.1', '8.17.0'] as const).map((version): Row => ({
    name: `Node.js ${version} (OpenSSL 1.0.2)`,
    isLong: true,
    start: old(version, { ciphers: ALL }, 1024),
    suites: { TLSv1: 34, 'TLSv1.1': 34, 'TLSv1.2': 51 },
    vulnerable: ids(ALWAYS, TLS10, 'tls11', RC4_AND_3DES, WEAK_DH),
    notApplicable: ids(PLAIN),
    most: 30,
  })),
  {
    // IDEA, with blocks of 64 bits, is left in TLS 1.0 and 1.1
    name: 'Node.js 12.22.12 (OpenSSL 1.1.1n)',
    isLong: true,
    start: old('12.22.12', { ciphers: SINCE_111, minVersion: 'TLSv1' }, 2048),
    suites: { TLSv1: 24, 'TLSv1.1': 24, 'TLSv1.2': 64 },
    vulnerable: ids(ALWAYS, TLS10, 'tls11 sweet32 anonymous-cipher'),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 18.20.8 (OpenSSL 3.0.16)',
    isLong: true,
    start: old('18.20.8', { ciphers: SINCE_111, minVersion: 'TLSv1' }, 2048),
    suites: { TLSv1: 20, 'TLSv1.1': 20, 'TLSv1.2': 61, 'TLSv1.3': 3 },
    vulnerable: ids(
      'null-cipher no-forward-secrecy no-post-quantum client-renegotiation tls11 anonymous-cipher',
      TLS10,
    ),
    notApplicable: ids(PLAIN),
    most: 30,
  },
  {
    name: 'Node.js 22.23.3 (OpenSSL 3.5.8)',
    isLong: true,
    start: old('22.23.3', { ciphers: SINCE_111, minVersion: 'TLSv1' }, 2048),
    suites: { TLSv1: 20, 'TLSv1.1': 20, 'TLSv1.2': 61, 'TLSv1.3': 3 },
    vulnerable: ids('null-cipher no-forward-secrecy client-renegotiation tls11 anonymous-cipher', TLS10),
    notApplicable: ids(PLAIN),
    most: 30,
  },
];

function old(
  version: string,
  options: Omit<OldServerOptions, 'cert' | 'key'>,
  primeBits?: 512 | 768 | 1024 | 2048,
): Row['start'] {
  return async (lab: Lab) => {
    const dhparam = primeBits === undefined ? {} : { dhparam: lab.dhparam(primeBits) };
    return lab.old.start(version, { cert: lab.rsa.cert, key: lab.rsa.key, ...options, ...dhparam });
  };
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
