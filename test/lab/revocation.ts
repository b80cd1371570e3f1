import type { KeyObject } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  algorithmOf,
  bits,
  der,
  extension,
  hash,
  integer,
  keyBits,
  longTime,
  makeKey,
  nameOf,
  octets,
  oid,
  publicKeyInfo,
  sequence,
  shortTime,
  signed,
  tagged,
  uri,
  type KeyKind,
} from './revocation-der';

/** A certificate with its key, DER and PEM. */
export interface LabCertificate {
  name: Buffer;
  serial: string;
  der: Buffer;
  cert: string;
  key: string;
  privateKey: KeyObject;
}

export interface LabCertificateOptions {
  commonName: string;
  /** DER content in hex. */
  serial?: string;
  keyKind?: KeyKind;
  privateKey?: KeyObject;
  /** Default: a server's. */
  role?: 'server' | 'authority' | 'responder';
  ocsp?: readonly string[];
  crl?: readonly string[];
  isMustStaple?: boolean;
  notBefore?: Date;
  notAfter?: Date;
  /** GeneralNames of the subjectAltName, DER; default: the common name as a DNS name. */
  altNames?: readonly Buffer[];
  /** Added, DER. */
  extensions?: readonly Buffer[];
  /** First byte of the key usage; default as the role wants it. */
  keyUsage?: number;
}

const HOUR_MS = 60 * 60 * 1000;
export const inHours = (hours: number): Date => new Date(Math.floor(Date.now() / 1000) * 1000 + hours * HOUR_MS);

let serials = 0x4a00;

/** Issues a certificate, self-signed where there is no issuer. */
export function issueLab(issuer: LabCertificate | null, options: LabCertificateOptions): LabCertificate {
  const { commonName, role = 'server', ocsp = [], crl = [] } = options;
  const privateKey = options.privateKey ?? makeKey(options.keyKind ?? 'ec');
  const serial = options.serial ?? (serials += 1).toString(16);
  const name = nameOf(commonName);
  const purpose = { server: '1.3.6.1.5.5.7.3.1', responder: '1.3.6.1.5.5.7.3.9', authority: null }[role];
  const usage = options.keyUsage ?? (role === 'authority' ? 0x86 : 0x80);
  const extensions = [
    extension('2.5.29.19', role === 'authority' ? sequence(der(0x01, Buffer.of(0xff))) : sequence()),
    extension('2.5.29.15', der(0x03, Buffer.of(1, usage)), { isCritical: true }),
    ...(purpose === null ? [] : [extension('2.5.29.37', sequence(oid(purpose)))]),
    extension('2.5.29.17', sequence(...(options.altNames ?? [der(0x82, commonName.replace(/\s/g, '-'))]))),
    ...(ocsp.length === 0
      ? []
      : [extension('1.3.6.1.5.5.7.1.1', sequence(...ocsp.map(url => sequence(oid('1.3.6.1.5.5.7.48.1'), uri(url)))))]),
    ...(crl.length === 0 ? [] : [extension('2.5.29.31', sequence(...crl.map(url => point(uri(url)))))]),
    ...(options.isMustStaple === true ? [extension('1.3.6.1.5.5.7.1.24', sequence(integer('05')))] : []),
    ...(options.extensions ?? []),
  ];
  const signer = issuer ?? { name, privateKey };
  const tbs = sequence(
    tagged(0, integer('02')),
    integer(serial),
    algorithmOf(signer.privateKey),
    signer.name,
    sequence(shortTime(options.notBefore ?? inHours(-24)), shortTime(options.notAfter ?? inHours(24 * 60))),
    name,
    publicKeyInfo(privateKey),
    tagged(3, sequence(...extensions)),
  );
  const bytes = signed(tbs, signer.privateKey);
  return {
    name,
    serial,
    der: bytes,
    cert: pemOf(bytes),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  };
}

function pemOf(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** DistributionPoint with full names. */
export function point(...names: readonly Buffer[]): Buffer {
  return sequence(tagged(0, tagged(0, ...names)));
}

export interface OcspSingle {
  serial: string;
  status?: 'good' | 'unknown' | { revokedAt: Date; reason?: number };
  thisUpdate?: Date;
  /** Default: in a day; null for none. */
  nextUpdate?: Date | null;
  hashedWith?: 'sha1' | 'sha256';
}

export interface OcspOptions {
  issuer: LabCertificate;
  singles: readonly OcspSingle[];
  /** Default: the issuer, named by its name. */
  signer?: LabCertificate;
  responderBy?: 'name' | 'key';
  /** Sent along. */
  certificates?: readonly LabCertificate[];
}

/** An OCSP answer. */
export function ocspAnswer({
  issuer,
  singles,
  signer = issuer,
  responderBy = 'name',
  certificates = [],
}: OcspOptions): Buffer {
  const responder =
    responderBy === 'name' ? tagged(1, signer.name) : tagged(2, octets(hash('sha1', keyBits(signer.privateKey))));
  const tbs = sequence(
    responder,
    longTime(inHours(-1)),
    sequence(...singles.map(single => writeSingle(issuer, single))),
  );
  const along = certificates.length === 0 ? [] : [tagged(0, sequence(...certificates.map(one => one.der)))];
  const basic = signed(tbs, signer.privateKey, ...along);
  return sequence(der(0x0a, Buffer.of(0)), tagged(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octets(basic))));
}

/** An OCSPResponse without answer: 3 is tryLater. */
export function ocspError(status: number): Buffer {
  return sequence(der(0x0a, Buffer.of(status)));
}

const HASH_OIDS = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' };

function writeSingle(issuer: LabCertificate, single: OcspSingle): Buffer {
  const { serial, status = 'good', thisUpdate = inHours(-1), nextUpdate = inHours(24), hashedWith = 'sha1' } = single;
  const id = sequence(
    sequence(oid(HASH_OIDS[hashedWith]), der(0x05)),
    octets(hash(hashedWith, issuer.name)),
    octets(hash(hashedWith, keyBits(issuer.privateKey))),
    integer(serial),
  );
  return sequence(
    id,
    writeStatus(status),
    longTime(thisUpdate),
    ...(nextUpdate === null ? [] : [tagged(0, longTime(nextUpdate))]),
  );
}

function writeStatus(status: NonNullable<OcspSingle['status']>): Buffer {
  if (status === 'good') return der(0x80);
  if (status === 'unknown') return der(0x82);
  const reason = status.reason === undefined ? [] : [tagged(0, der(0x0a, Buffer.of(status.reason)))];
  return tagged(1, longTime(status.revokedAt), ...reason);
}

export interface ListEntry {
  serial: string;
  at?: Date;
  reason?: number;
  /** Instead of those that the reason makes, DER. */
  extensions?: readonly Buffer[];
}

export interface ListOptions {
  issuer: LabCertificate;
  /** DER of all of them where they are many. */
  entries?: readonly ListEntry[] | Buffer;
  thisUpdate?: Date;
  /** Default: in a day; null for none. */
  nextUpdate?: Date | null;
  extensions?: readonly Buffer[];
  /** Default: the issuer. */
  signer?: LabCertificate;
}

/** A certificate revocation list. */
export function revocationList(options: ListOptions): Buffer {
  const { issuer, entries = [], thisUpdate = inHours(-1), nextUpdate = inHours(24), extensions = [] } = options;
  const key = (options.signer ?? issuer).privateKey;
  const tbs = sequence(
    integer('01'),
    algorithmOf(key),
    issuer.name,
    shortTime(thisUpdate),
    ...(nextUpdate === null ? [] : [shortTime(nextUpdate)]),
    ...(entries.length === 0
      ? []
      : [der(0x30, Buffer.isBuffer(entries) ? entries : Buffer.concat(entries.map(writeEntry)))]),
    ...(extensions.length === 0 ? [] : [tagged(0, sequence(...extensions))]),
  );
  return signed(tbs, key);
}

function writeEntry({ serial, at = inHours(-24), reason, extensions }: ListEntry): Buffer {
  const all = extensions ?? (reason === undefined ? [] : [extension('2.5.29.21', der(0x0a, Buffer.of(reason)))]);
  return sequence(integer(serial), shortTime(at), ...(all.length === 0 ? [] : [sequence(...all)]));
}

/** issuingDistributionPoint: what is inside its SEQUENCE. */
export function scopeExtension(...parts: readonly Buffer[]): Buffer {
  return extension('2.5.29.28', sequence(...parts), { isCritical: true });
}

export { bits, der, extension, integer, sequence, tagged, uri };

/** What came to a server. */
export interface SeenRequest {
  method: string;
  /** As in the request line: a whole URL where it came to a proxy. */
  url: string;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

export interface LabHttp {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

export type HttpAnswer = Buffer | number | ((response: http.ServerResponse) => void);

/** An HTTP server on loopback that answers with bytes, with a status, or as the function does. */
export async function startHttp(
  answer: Buffer | number | ((request: SeenRequest) => HttpAnswer | Promise<HttpAnswer>),
  { port = 0 } = {},
): Promise<LabHttp> {
  const requests: SeenRequest[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    response.on('error', () => {});
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks) };
      requests.push(seen);
      void Promise.resolve(typeof answer === 'function' ? answer(seen) : answer).then(what => {
        if (typeof what === 'function') what(response);
        else if (typeof what === 'number') response.writeHead(what).end();
        else response.end(what);
      });
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
