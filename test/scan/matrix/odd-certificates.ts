import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Ca, IssuedCertificate } from '../../lab/certificates';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate for a.example with an RSA key of that size, signed by `ca` with that hash, by the openssl command. */
export async function issueByOpenssl(
  ca: Ca,
  { bits, hash }: { bits: 512 | 2048; hash: 'md5' | 'sha256' },
): Promise<IssuedCertificate> {
  return inFolder(ca, async (folder, openssl) => {
    await writeFile(join(folder, 'ext'), 'subjectAltName=DNS:a.example\n');
    await openssl('genrsa', '-out', 'key.pem', String(bits));
    await openssl('req', '-new', '-key', 'key.pem', '-subj', '/CN=a.example', '-out', 'csr.pem');
    const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
    await openssl(
      'x509',
      '-req',
      '-in',
      'csr.pem',
      ...issuer,
      `-${hash}`,
      '-days',
      '30',
      '-extfile',
      'ext',
      '-out',
      'cert',
    );
    const [cert, key] = await Promise.all(['cert', 'key.pem'].map(name => readFile(join(folder, name), 'utf8')));
    return { cert: cert ?? '', key: key ?? '', ca: ca.cert };
  });
}

/** The answer of `ca` as an OCSP responder, DER: that its certificate is good, or revoked since yesterday. */
export async function answerOcsp(ca: Ca, cert: string, status: 'good' | 'revoked'): Promise<Buffer> {
  return inFolder(ca, async (folder, openssl) => {
    const { serialNumber } = new X509Certificate(cert);
    const expiry = utcTime(Date.now() + 300 * DAY_MS);
    const start = status === 'good' ? ['V', expiry, ''] : ['R', expiry, utcTime(Date.now() - DAY_MS)];
    await writeFile(join(folder, 'index.txt'), `${[...start, serialNumber, 'unknown', '/CN=a.example'].join('\t')}\n`);
    await writeFile(join(folder, 'cert.pem'), cert);
    await openssl('ocsp', '-issuer', 'ca.pem', '-cert', 'cert.pem', '-no_nonce', '-reqout', 'request');
    const responder = ['-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', 'ca.pem', '-rkey', 'ca.key', '-ndays', '3'];
    await openssl('ocsp', ...responder, '-reqin', 'request', '-respout', 'response');
    return readFile(join(folder, 'response'));
  });
}

async function inFolder<T>(
  ca: Ca,
  work: (folder: string, openssl: (...args: string[]) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'certdesk-odd-'));
  try {
    await writeFile(join(folder, 'ca.pem'), ca.cert);
    await writeFile(join(folder, 'ca.key'), ca.key);
    return await work(folder, (...args) => promisify(execFile)('openssl', args, { cwd: folder }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** YYMMDDHHMMSSZ, as the index of `openssl ca` has it. */
function utcTime(time: number): string {
  return `${new Date(time).toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`;
}
