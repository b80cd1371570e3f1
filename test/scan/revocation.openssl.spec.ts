import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readFields, type CertificateFields } from '../../lib/scan/revocation/fields';
import { judgeAnswer } from '../../lib/scan/revocation/ocsp-answer';
import { writeOcspRequest } from '../../lib/scan/revocation/ocsp-request';
import { readList } from '../../lib/scan/revocation/revocation-list';
import { crlSources, ocspSources } from '../../lib/scan/revocation/sources';
import { startHealthy } from '../lab/tls-servers';
import { startHttp } from '../lab/revocation';
import { skip } from '../support/skip';
import { check, scan } from './scan-support';

const CONFIG = `
[ca]
default_ca = lab
[lab]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = anything
default_days = 30
default_crl_days = 7
crl_extensions = list
[anything]
commonName = supplied
[list]
authorityKeyIdentifier = keyid
[server]
subjectAltName = DNS:a.example
authorityInfoAccess = OCSP;URI:OCSP_URL
crlDistributionPoints = URI:CRL_URL
[responder]
extendedKeyUsage = OCSPSigning
noCheck = ignored
`;

describe('revocation with an authority of openssl', function () {
  this.timeout(60_000);
  let folder: string;
  let revoked: CertificateFields;
  let good: CertificateFields;
  let issuer: CertificateFields;
  const publisher: { url: string; close(): Promise<void> }[] = [];

  const openssl = async (...args: string[]): Promise<void> => {
    await promisify(execFile)('openssl', args, { cwd: folder });
  };
  const file = (name: string): Promise<Buffer> => readFile(join(folder, name));
  const fields = async (name: string): Promise<CertificateFields> =>
    readFields(new X509Certificate(await file(`${name}.pem`)).raw);
  const CA = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];

  /** What `openssl ocsp` answers to a request. */
  async function answer(request: Buffer, ...args: string[]): Promise<Buffer> {
    await writeFile(join(folder, 'request.der'), request);
    const signer = args.length > 0 ? args : ['-rsigner', 'responder.pem', '-rkey', 'responder.key'];
    const files = ['-reqin', 'request.der', '-respout', 'answer.der'];
    await openssl('ocsp', '-index', 'index.txt', '-CA', 'ca.pem', ...signer, ...files, '-ndays', '3');
    return file('answer.der');
  }

  before(async function () {
    folder = await mkdtemp(join(tmpdir(), 'certdesk-'));
    try {
      await openssl('version');
    } catch {
      skip(this, 'openssl is not installed');
    }
    const http = await startHttp(async ({ method, body }) => (method === 'POST' ? answer(body) : file('list.der')));
    publisher.push(http);
    const config = CONFIG.replace('OCSP_URL', `${http.url}/ocsp`).replace('CRL_URL', `${http.url}/list.der`);
    await writeFile(join(folder, 'ca.cnf'), config);
    await writeFile(join(folder, 'index.txt'), '');
    await writeFile(join(folder, 'serial'), 'F001\n');
    const rsa = ['-newkey', 'rsa:2048', '-nodes'];
    await openssl(
      'req',
      '-x509',
      ...rsa,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=OpenSSL Root',
      '-days',
      '60',
    );
    for (const [name, section] of [
      ['revoked', 'server'],
      ['good', 'server'],
      ['responder', 'responder'],
    ] as const) {
      await openssl(
        'req',
        '-new',
        ...rsa,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}.example`,
      );
      const files = ['-in', `${name}.csr`, '-out', `${name}.pem`];
      await openssl('ca', '-batch', '-notext', ...CA, ...files, '-extensions', section);
    }
    await openssl('ca', ...CA, '-revoke', 'revoked.pem', '-crl_reason', 'keyCompromise');
    await openssl('ca', ...CA, '-gencrl', '-out', 'list.pem');
    await openssl('crl', '-in', 'list.pem', '-outform', 'DER', '-out', 'list.der');
    [revoked, good, issuer] = [await fields('revoked'), await fields('good'), await fields('ca')];
  });
  after(async () => {
    await Promise.all(publisher.map(server => server.close()));
    await rm(folder, { recursive: true });
  });

  it('reads where its certificates point', () => {
    const url = publisher[0]?.url ?? '';
    assert.deepEqual(ocspSources(good), { urls: [`${url}/ocsp`], isNamed: true });
    assert.deepEqual(crlSources(good), { urls: [`${url}/list.der`], isNamed: true });
    assert.deepEqual(ocspSources(issuer), { urls: [], isNamed: false });
  });

  it('asks as openssl does', async () => {
    await openssl('ocsp', '-issuer', 'ca.pem', '-cert', 'good.pem', '-no_nonce', '-reqout', 'own.der');
    assert.deepEqual(writeOcspRequest(good, issuer), await file('own.der'));
  });

  for (const [what, ...args] of [
    ['of a delegated responder'],
    ['of a delegated responder by key', '-rsigner', 'responder.pem', '-rkey', 'responder.key', '-resp_key_id'],
    ['of the issuer', '-rsigner', 'ca.pem', '-rkey', 'ca.key', '-resp_no_certs'],
  ] as [string, ...string[]][]) {
    it(`understands the answer ${what}`, async () => {
      const now = new Date();
      for (const [leaf, expected] of [
        [good, /^good$/],
        [revoked, /^revoked since \d{4}-.*Z \(its key was compromised\)$/],
      ] as const) {
        const said = await judgeAnswer(await answer(writeOcspRequest(leaf, issuer), ...args), { leaf, issuer, now });
        assert.match(said.detail, expected);
        assert.notEqual(said.kind, 'unusable');
      }
    });
  }

  it('believes no certificate of the authority that is no responder, and finds a stranger unknown', async () => {
    const now = new Date();
    const request = writeOcspRequest(good, issuer);
    const server = await answer(request, '-rsigner', 'good.pem', '-rkey', 'good.key');
    const refused = await judgeAnswer(server, { leaf: good, issuer, now });
    assert.equal(refused.detail, 'it is signed by nobody whom the issuer lets answer');
    const stranger = { ...good, serialNumber: Buffer.from('abcd', 'hex') };
    const unknown = await judgeAnswer(await answer(writeOcspRequest(stranger, issuer)), {
      leaf: stranger,
      issuer,
      now,
    });
    assert.equal(unknown.detail, 'it says that the certificate is unknown');
  });

  it('reads its list', async () => {
    const read = await readList(await file('list.der'), issuer);
    assert.ok(read.kind === 'list', JSON.stringify(read));
    assert.equal(read.list.serials.count, 1);
    assert.equal(read.list.serials.find(revoked.serialNumber)?.reason, 1);
    assert.equal(read.list.serials.find(good.serialNumber), null);
  });

  for (const [name, verdict] of [
    ['good', 'ok'],
    ['revoked', 'vulnerable'],
  ] as const) {
    it(`says ${verdict} in a scan of its ${name} certificate`, async () => {
      const [cert, key] = [await file(`${name}.pem`), await file(`${name}.key`)].map(String) as [string, string];
      const server = await startHealthy({ cert, key });
      try {
        const report = await scan(server, { domain: 'a.example', ca: [String(await file('ca.pem'))] });
        assert.equal(check(report, 'revoked-ocsp').verdict, verdict, check(report, 'revoked-ocsp').detail);
        assert.equal(check(report, 'revoked-crl').verdict, verdict, check(report, 'revoked-crl').detail);
      } finally {
        await server.close();
      }
    });
  }
});
