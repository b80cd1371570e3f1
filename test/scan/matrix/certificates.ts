import { issue, makeCa, type IssuedCertificate } from '../../lab/certificates';
import { startDebian } from '../../lab/debian-tls';
import { HEALTHY_TLS } from '../../../examples/start/tls-options';
import { startHealthy, startTls } from '../../lab/tls-servers';
import { answerOcsp, issueByOpenssl } from './odd-certificates';
import { ids, NO_CBC, NO_STATIC_RSA, PLAIN, type Lab, type Row } from './row';
import { counting, POST_QUANTUM } from './today';

/*
 * Servers that are well kept (TLS 1.2 with ECDHE and AEAD, TLS 1.3) but for the certificate, which was made so.
 */
const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = { commonName: 'a.example', dns: ['a.example'] };
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

export const CERTIFICATES: readonly Row[] = [
  odd('expired yesterday', 'expired', ({ ca }) =>
    issue(ca, { ...NAMES, notBefore: inDays(-30), notAfter: inDays(-1) }),
  ),
  odd('not valid before tomorrow', 'not-yet-valid', ({ ca }) => issue(ca, { ...NAMES, notBefore: inDays(1) })),
  odd('for another name', 'name-mismatch', ({ ca }) => issue(ca, { commonName: 'a.example', dns: ['b.example'] })),
  odd('self-signed', 'self-signed untrusted', () => issue(null, NAMES)),
  odd('from a root that nobody knows', 'untrusted', async () => issue(await makeCa('Somebody'), NAMES)),
  odd('signed with SHA-1', 'weak-signature', ({ ca }) => issue(ca, { ...NAMES, signature: 'sha1' })),
  odd('signed with MD5', 'weak-signature', ({ ca }) => issueByOpenssl(ca, { bits: 2048, hash: 'md5' })),
  odd('an RSA key of 1024 bits', 'weak-key', ({ ca }) => issue(ca, { ...NAMES, keyType: 'rsa1024' })),
  odd('must staple and does not', 'must-staple', ({ ca }) => issue(ca, { ...NAMES, ocspMustStaple: true }), {
    notApplicable: ids('revoked-ocsp revoked-crl', NO_CBC, NO_STATIC_RSA),
  }),
  {
    ...odd('expired, beside an ECDSA one that has not', 'expired', ({ ca }) =>
      issue(ca, { ...NAMES, notBefore: inDays(-30), notAfter: inDays(-1) }),
    ),
    start: async ({ ca, ec }) => {
      const rsa = await issue(ca, { ...NAMES, notBefore: inDays(-30), notAfter: inDays(-1) });
      const both = { cert: [ec.cert, rsa.cert], key: [ec.key, rsa.key] } as unknown as IssuedCertificate;
      return counting(await startHealthy({ ...both, ca: undefined }));
    },
    keys: ['RSA', 'EC'],
    suites: { 'TLSv1.2': 6, 'TLSv1.3': 3 },
    most: 6,
  },
];

const NGINX_HEALTHY = ['ssl_protocols TLSv1.2 TLSv1.3;', 'ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;'];

/** Servers of Debian that staple what they are given. */
export const STAPLING: readonly Row[] = [
  nginxStaples('a good answer', { status: 'good' }),
  nginxStaples('a revoked answer', { status: 'revoked' }),
  nginxStaples('a good answer, as the certificate asks for', { status: 'good', ocspMustStaple: true }),
  {
    name: 'GnuTLS that staples a revoked answer',
    debian: 'gnutls',
    start: async ({ ca, rsa }) =>
      startDebian('gnutls', { certs: [rsa], staple: await answerOcsp(ca, rsa.cert, 'revoked') }),
    // its NORMAL, by nmap
    suites: { TLSv1: 6, 'TLSv1.1': 6, 'TLSv1.2': 18, 'TLSv1.3': 4 },
    vulnerable: ids('revoked-ocsp tls10 tls11 cbc-beast no-forward-secrecy no-post-quantum client-renegotiation'),
    notApplicable: ids('must-staple revoked-crl'),
    most: 30,
  },
  {
    name: 's_server that staples a revoked answer',
    debian: 's-server',
    start: async ({ ca, rsa }) => {
      const staple = await answerOcsp(ca, rsa.cert, 'revoked');
      return startDebian('s-server', { certs: [rsa], staple, lines: ['-cipher', 'ECDHE+AESGCM'] });
    },
    suites: { 'TLSv1.2': 2, 'TLSv1.3': 3 },
    vulnerable: ids('revoked-ocsp no-post-quantum'),
    notApplicable: ids('must-staple revoked-crl', NO_CBC, NO_STATIC_RSA),
    most: 5,
  },
];

function nginxStaples(
  what: string,
  { status, ocspMustStaple = false }: { status: 'good' | 'revoked'; ocspMustStaple?: boolean },
): Row {
  return {
    name: `nginx that staples ${what}`,
    debian: 'nginx',
    start: async ({ ca }) => {
      const rsa = await issue(ca, { ...NAMES, ocspMustStaple });
      const staple = await answerOcsp(ca, rsa.cert, status);
      return startDebian('nginx', { certs: [rsa], lines: NGINX_HEALTHY, staple });
    },
    suites: { 'TLSv1.2': 3, 'TLSv1.3': 3 },
    vulnerable: ids('no-post-quantum', status === 'revoked' ? 'revoked-ocsp' : ''),
    notApplicable: ids('revoked-crl', ocspMustStaple ? '' : 'must-staple', NO_CBC, NO_STATIC_RSA),
    most: 5,
  };
}

function odd(
  name: string,
  vulnerable: string,
  make: (lab: Lab) => Promise<IssuedCertificate>,
  more: Partial<Row> = {},
): Row {
  return {
    name: `certificate: ${name}`,
    start: async lab => {
      const { cert, key } = await make(lab);
      // what OpenSSL would not serve otherwise
      return counting(await startTls({ ...HEALTHY_TLS, ciphers: `${HEALTHY_TLS.ciphers}:@SECLEVEL=0`, cert, key }));
    },
    suites: { 'TLSv1.2': 3, 'TLSv1.3': 3 },
    vulnerable: ids(vulnerable, 'client-renegotiation', POST_QUANTUM),
    notApplicable: ids(PLAIN, NO_CBC, NO_STATIC_RSA),
    most: 5,
    ...more,
  };
}
