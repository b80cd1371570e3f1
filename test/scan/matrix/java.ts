import { startJava } from '../../lab/java-tls';
import { ids, PLAIN, type Row } from './row';

/*
 * Java 17 (JSSE) with everything on. Versions and suites: nmap and sslscan. It is the one server here that makes a
 * 512-bit RSA key for export suites while its own has 2048 ("rsa 64" in nmap's words). It does not know
 * TLS_FALLBACK_SCSV: to s_client -fallback_scsv it answers with a ServerHello, in which the client then sees the mark
 * of a downgrade. It renegotiates (s_client's R). DHE_EXPORT has
 * a prime of 512 bits for a client that offers no FFDHE group (DHKeyExchange.java), which is what Logjam needs.
 */
export const JAVA: readonly Row[] = [
  {
    name: 'Java 17 with everything on',
    isLong: true,
    start: ({ rsa }) => startJava(rsa),
    suites: { TLSv1: 32, 'TLSv1.1': 27, 'TLSv1.2': 43, 'TLSv1.3': 3 },
    vulnerable: ids(
      'tls10 tls11 cbc-beast null-cipher anonymous-cipher export-cipher freak logjam rc4 des sweet32',
      'no-forward-secrecy no-post-quantum client-renegotiation no-fallback-scsv',
    ),
    notApplicable: ids(PLAIN),
    most: 30,
  },
];
