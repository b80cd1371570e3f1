import { constants } from 'node:crypto';
import type { IssuedCertificate } from '../../lab/certificates';
import { startHealthy, startTls, startWeak, type LabServer } from '../../lab/tls-servers';
import { ids, NO_CBC, NO_STATIC_RSA, ONLY_TLS13, PLAIN, type Row, type Running } from './row';

/*
 * The Node.js that runs the tests, with OpenSSL 3 (suites by the strings given; Node.js lets a client renegotiate three
 * times in ten minutes). X25519MLKEM768 came with OpenSSL 3.5.
 */
const hasPostQuantum = Number(process.versions.openssl.split('.').slice(0, 2).join('.')) >= 3.5;
/** What OpenSSL before 3.5 lacks. */
export const POST_QUANTUM = hasPostQuantum ? '' : 'no-post-quantum';

export const TODAY: readonly Row[] = [
  {
    name: 'a well-kept server',
    start: async ({ rsa }) => counting(await startHealthy(rsa)),
    suites: { 'TLSv1.2': 3, 'TLSv1.3': 3 },
    vulnerable: ids('client-renegotiation', POST_QUANTUM),
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA),
    most: 5,
  },
  {
    name: 'a well-kept server with an RSA and an ECDSA certificate',
    start: async ({ rsa, ec }) => {
      const both = { cert: [rsa.cert, ec.cert], key: [rsa.key, ec.key] } as unknown as IssuedCertificate;
      return counting(await startHealthy({ ...both, ca: undefined }));
    },
    keys: ['RSA', 'EC'],
    suites: { 'TLSv1.2': 6, 'TLSv1.3': 3 },
    vulnerable: ids('client-renegotiation', POST_QUANTUM),
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA),
    most: 6,
  },
  {
    name: 'TLS 1.3 alone',
    start: async ({ rsa }) => counting(await startHealthy({ ...rsa, minVersion: 'TLSv1.3' })),
    suites: { 'TLSv1.3': 3 },
    vulnerable: ids(POST_QUANTUM),
    notApplicable: ids(PLAIN, ONLY_TLS13),
    most: 8,
  },
  {
    name: 'TLS 1.2 alone',
    start: async ({ rsa }) => counting(await startHealthy({ ...rsa, maxVersion: 'TLSv1.2' })),
    suites: { 'TLSv1.2': 3 },
    vulnerable: ids('no-tls13 no-post-quantum client-renegotiation'),
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA, 'no-fallback-scsv'),
    most: 5,
  },
  {
    name: 'a forgotten server',
    start: async ({ rsa }) => counting(await startWeak(rsa)),
    // ECDHE-RSA-AES128-SHA, AES128-SHA, AES256-SHA, NULL-SHA; in TLS 1.2 also NULL-SHA256 and one with GCM
    suites: { TLSv1: 4, 'TLSv1.1': 4, 'TLSv1.2': 6 },
    vulnerable: ids(
      'tls10 tls11 no-tls13 null-cipher cbc-beast no-forward-secrecy no-post-quantum client-renegotiation',
    ),
    notApplicable: ids(PLAIN),
    most: 24,
  },
  {
    name: 'TLS 1.0, 1.2 and 1.3, but not 1.1',
    start: async ({ rsa }) =>
      counting(
        await startTls({
          ...rsa,
          minVersion: 'TLSv1',
          ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:@SECLEVEL=0',
          secureOptions: constants.SSL_OP_NO_TLSv1_1,
        }),
      ),
    suites: { TLSv1: 1, 'TLSv1.2': 2, 'TLSv1.3': 3 },
    vulnerable: ids('tls10 cbc-beast client-renegotiation', POST_QUANTUM),
    notApplicable: ids(PLAIN, NO_STATIC_RSA),
    most: 15,
  },
];

export function counting(server: LabServer): Running {
  return {
    host: server.host,
    port: server.port,
    connections: async () => server.connections,
    close: () => server.close(),
  };
}
