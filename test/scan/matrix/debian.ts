import { startDebian } from '../../lab/debian-tls';
import type { DebianServerName } from '../../lab/debian-tls-commands';
import { ids, NO_CBC, NO_STATIC_RSA, PLAIN, type Lab, type Row } from './row';

/*
 * Servers of Debian 12. How the verdicts are known:
 * - versions and numbers of suites: nmap's ssl-enum-ciphers and sslscan against the same server, and `openssl s_client`
 *   with one version each; Botan's by `botan tls_ciphers`, since the other two don't know CECPQ1;
 * - client-renegotiation: s_client's R is answered by a handshake or by no_renegotiation;
 * - no-fallback-scsv: s_client -fallback_scsv gets alert 86 from all of them;
 * - logjam: the size of the prime by nmap;
 * - insecure-renegotiation: s_client's "Secure Renegotiation IS (NOT) supported", and the option given;
 * - everything else was mended before these versions: their years are 2021 to 2026. None has X25519MLKEM768.
 */
const GNUTLS_WEAK = `NORMAL:+ARCFOUR-128:+3DES-CBC:+NULL:+VERS-TLS1.0:+VERS-TLS1.1:+ANON-DH:+ANON-ECDH:+MD5:+CAMELLIA-128-CBC`;
const GNUTLS_WITHOUT_RFC5746 = 'NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:%DISABLE_SAFE_RENEGOTIATION';
const OPENSSL_ALL = 'ALL:COMPLEMENTOFALL:eNULL:aNULL';
const OLD_TLS = 'tls10 tls11 cbc-beast';

export const DEBIAN: readonly Row[] = [
  row('nginx', {
    name: 'nginx with an RSA and an ECDSA certificate',
    start: debian('nginx', 'both', ['ssl_protocols TLSv1.2 TLSv1.3;']),
    keys: ['RSA', 'EC'],
    suites: { 'TLSv1.2': 42, 'TLSv1.3': 3 },
    vulnerable: ids('no-forward-secrecy no-post-quantum'),
    most: 22,
  }),
  row('nginx-sni', {
    name: 'nginx that knows one name',
    start: debian('nginx-sni', 'rsa', ['ssl_protocols TLSv1.2 TLSv1.3;']),
    suites: { 'TLSv1.2': 27, 'TLSv1.3': 3 },
    vulnerable: ids('no-forward-secrecy no-post-quantum'),
    most: 22,
  }),
  row('gnutls', {
    name: 'GnuTLS with weak suites and heartbeats',
    start: debian('gnutls', 'rsa', ['--priority', GNUTLS_WEAK, '--heartbeat']),
    suites: { TLSv1: 27, 'TLSv1.1': 27, 'TLSv1.2': 41 },
    vulnerable: ids(
      OLD_TLS,
      'no-tls13 null-cipher anonymous-cipher rc4 sweet32 no-forward-secrecy no-post-quantum client-renegotiation',
    ),
    most: 30,
  }),
  row('gnutls', {
    name: 'GnuTLS without RFC 5746',
    start: debian('gnutls', 'rsa', ['--priority', GNUTLS_WITHOUT_RFC5746]),
    suites: { TLSv1: 6, 'TLSv1.1': 6, 'TLSv1.2': 18, 'TLSv1.3': 4 },
    vulnerable: ids(OLD_TLS, 'no-forward-secrecy no-post-quantum client-renegotiation insecure-renegotiation'),
    most: 30,
  }),
  row('stunnel', {
    name: 'stunnel at security level 0',
    start: debian('stunnel', 'rsa', ['securityLevel = 0', 'sslVersionMin = TLSv1', `ciphers = ${OPENSSL_ALL}`]),
    suites: { TLSv1: 20, 'TLSv1.1': 20, 'TLSv1.2': 61, 'TLSv1.3': 3 },
    vulnerable: ids(OLD_TLS, 'null-cipher anonymous-cipher no-forward-secrecy no-post-quantum'),
    most: 30,
  }),
  row('s-server', {
    // one connection at a time; its own choice for anonymous suites of 128 bits is a prime of 1024 bits
    name: 'openssl s_server at security level 0',
    start: debian('s-server', 'rsa', ['-cipher', `${OPENSSL_ALL}:@SECLEVEL=0`]),
    suites: { TLSv1: 20, 'TLSv1.1': 20, 'TLSv1.2': 61, 'TLSv1.3': 3 },
    vulnerable: ids(OLD_TLS, 'null-cipher anonymous-cipher no-forward-secrecy no-post-quantum logjam'),
    most: 30,
  }),
  row('lighttpd', {
    name: 'lighttpd as it comes',
    start: debian('lighttpd', 'rsa'),
    suites: { 'TLSv1.2': 4, 'TLSv1.3': 3 },
    vulnerable: ids('no-post-quantum'),
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA),
    most: 8,
  }),
  row('haproxy', {
    name: 'HAProxy as it comes',
    start: debian('haproxy', 'rsa'),
    suites: { 'TLSv1.2': 13, 'TLSv1.3': 3 },
    vulnerable: ids('no-forward-secrecy no-post-quantum'),
    most: 22,
  }),
  row('apache', {
    // TLS 1.0 and 1.1 are on, but no handshake succeeds in them at Debian's security level 2
    name: 'Apache with an RSA and an ECDSA certificate',
    start: debian('apache', 'both'),
    keys: ['RSA', 'EC'],
    suites: { 'TLSv1.2': 27, 'TLSv1.3': 3 },
    vulnerable: ids('no-forward-secrecy no-post-quantum'),
    most: 22,
  }),
  row('caddy', {
    name: 'Caddy as it comes (Go)',
    start: debian('caddy', 'rsa'),
    suites: { 'TLSv1.2': 3, 'TLSv1.3': 3 },
    vulnerable: ids('no-post-quantum'),
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA),
    most: 7,
  }),
  row('botan', {
    // three suites with ECDHE, three with DHE, two with CECPQ1
    name: 'Botan as it comes',
    start: debian('botan', 'rsa'),
    suites: { 'TLSv1.2': 8 },
    vulnerable: ids('no-tls13 no-post-quantum'),
    // its command line keeps no sessions, and so gives no tickets
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA, 'no-fallback-scsv ticketbleed'),
    most: 10, // it says no to SSLv2 by closing, which is asked again
  }),
  row('nss', {
    name: 'selfserv as it comes (NSS)',
    start: debian('nss', 'rsa'),
    suites: { TLSv1: 10, 'TLSv1.1': 10, 'TLSv1.2': 23, 'TLSv1.3': 3 },
    vulnerable: ids(OLD_TLS, 'rc4 sweet32 no-forward-secrecy no-post-quantum client-renegotiation'),
    // it gives tickets only when started with -u
    notApplicable: ids(PLAIN, 'ticketbleed'),
    most: 30,
  }),
];

function row(debian: DebianServerName, rest: Omit<Row, 'debian' | 'notApplicable'> & Partial<Row>): Row {
  return { notApplicable: ids(PLAIN), debian, ...rest };
}

function debian(name: DebianServerName, kind: 'rsa' | 'both', lines?: readonly string[]): Row['start'] {
  return ({ rsa, ec }: Lab) =>
    startDebian(name, { certs: kind === 'both' ? [rsa, ec] : [rsa], ...(lines && { lines }) });
}
