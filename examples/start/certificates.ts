import { createHash, createPrivateKey, createPublicKey, generateKeyPair, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { addressBytes, parseAddress } from '../../lib/scan/targets/ip';

/** A certificate authority made by `makeCa`; PEM texts. */
export interface Ca {
  cert: string;
  key: string;
}

export interface CertificateOptions {
  /** Left out: an empty subject, which makes the subjectAltName critical (RFC 5280 section 4.1.2.6). */
  commonName?: string;
  dns?: string[];
  ip?: string[];
  /** Default: a day ago. */
  notBefore?: Date;
  /** Default: 90 days after `notBefore`. */
  notAfter?: Date;
  /** The certificate's own key; default `rsa2048`. */
  keyType?: 'rsa2048' | 'rsa1024' | 'ec256';
  /** Hash of the issuer's signature; default `sha256`. */
  signature?: 'sha256' | 'sha1';
  /** Hex; default 16 random bytes, positive. */
  serialNumber?: string;
  /** Adds the TLS feature extension that asks for a stapled answer (RFC 7633). */
  ocspMustStaple?: boolean;
}

/** A certificate with its key and what a client has to trust, PEM texts. */
export interface IssuedCertificate {
  cert: string;
  key: string;
  ca: string;
}

interface Issuer {
  name: pkijs.RelativeDistinguishedNames;
  key: KeyObject;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_MS = 365 * DAY_MS;

/** Makes a root certificate that is valid for ten years, with an RSA key of 2048 bits. */
export async function makeCa(commonName: string, options: { notBefore?: Date; notAfter?: Date } = {}): Promise<Ca> {
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MS);
  const key = await makeKey('rsa2048');
  const name = nameOf(commonName);
  const cert = build({
    subject: name,
    issuer: { name, key },
    key,
    serialNumber: randomSerial(),
    notBefore,
    notAfter: options.notAfter ?? new Date(notBefore.getTime() + 10 * YEAR_MS),
    hash: 'sha256',
    extensions: [
      extension('2.5.29.19', true, new pkijs.BasicConstraints({ cA: true }).toSchema()),
      extension('2.5.29.15', true, keyUsage('keyCertSign', 'cRLSign')),
    ],
  });
  return { cert, key: pemOf(key) };
}

/** Issues a server certificate from `ca`, or a self-signed one where that is null. */
export async function issue(ca: Ca | null, options: CertificateOptions = {}): Promise<IssuedCertificate> {
  const notBefore = options.notBefore ?? new Date(Date.now() - DAY_MS);
  const key = await makeKey(options.keyType ?? 'rsa2048');
  const subject = nameOf(options.commonName);
  const cert = build({
    subject,
    issuer: ca === null ? { name: subject, key } : { name: subjectOf(ca.cert), key: createPrivateKey(ca.key) },
    key,
    serialNumber: options.serialNumber === undefined ? randomSerial() : Buffer.from(options.serialNumber, 'hex'),
    notBefore,
    notAfter: options.notAfter ?? new Date(notBefore.getTime() + 90 * DAY_MS),
    hash: options.signature ?? 'sha256',
    extensions: leafExtensions(options, { isSelfSigned: ca === null }),
  });
  return { cert, key: pemOf(key), ca: ca?.cert ?? cert };
}

async function makeKey(type: NonNullable<CertificateOptions['keyType']>): Promise<KeyObject> {
  if (type === 'ec256') return (await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })).privateKey;
  const modulusLength = type === 'rsa1024' ? 1024 : 2048;
  return (await promisify(generateKeyPair)('rsa', { modulusLength })).privateKey;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** 16 bytes; the first bit is 0, so that the INTEGER is positive, the next 1, so that its length is fixed. */
function randomSerial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

interface Draft {
  subject: pkijs.RelativeDistinguishedNames;
  issuer: Issuer;
  key: KeyObject;
  serialNumber: Buffer;
  notBefore: Date;
  notAfter: Date;
  hash: 'sha256' | 'sha1';
  extensions: pkijs.Extension[];
}

/** Puts the certificate together and signs it with node:crypto, which pkijs would do through WebCrypto. */
function build(draft: Draft): string {
  const certificate = new pkijs.Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1js.Integer({ valueHex: positive(draft.serialNumber) });
  certificate.subject = draft.subject;
  certificate.issuer = draft.issuer.name;
  certificate.notBefore = timeOf(draft.notBefore);
  certificate.notAfter = timeOf(draft.notAfter);
  certificate.subjectPublicKeyInfo = new pkijs.PublicKeyInfo({ schema: parseDer(spkiOf(draft.key)) });
  certificate.extensions = [
    ...draft.extensions,
    extension('2.5.29.14', false, new asn1js.OctetString({ valueHex: bufferOf(keyId(draft.key)) })),
    extension(
      '2.5.29.35',
      false,
      new pkijs.AuthorityKeyIdentifier({
        keyIdentifier: new asn1js.OctetString({ valueHex: bufferOf(keyId(draft.issuer.key)) }),
      }).toSchema(),
    ),
  ];
  const algorithm = signatureAlgorithm(draft.issuer.key, draft.hash);
  certificate.signature = algorithm;
  certificate.signatureAlgorithm = algorithm;
  const tbs = certificate.encodeTBS();
  certificate.tbsView = new Uint8Array(tbs.toBER());
  const signature = sign(draft.hash, certificate.tbsView, draft.issuer.key);
  certificate.signatureValue = new asn1js.BitString({ valueHex: bufferOf(signature) });
  const der = Buffer.from(certificate.toSchema(true).toBER());
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A self-signed one has signed a certificate, so it must be a CA (RFC 5280 section 4.2.1.3). */
function leafExtensions(options: CertificateOptions, { isSelfSigned }: { isSelfSigned: boolean }): pkijs.Extension[] {
  const usages: (keyof typeof KEY_USAGE_BITS)[] = ['digitalSignature'];
  if (options.keyType !== 'ec256') usages.push('keyEncipherment');
  if (isSelfSigned) usages.push('keyCertSign');
  const extensions = [
    extension('2.5.29.19', true, new pkijs.BasicConstraints({ cA: isSelfSigned }).toSchema()),
    extension('2.5.29.15', true, keyUsage(...usages)),
    extension('2.5.29.37', false, new pkijs.ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.1'] }).toSchema()),
  ];
  const names = [
    ...(options.dns ?? []).map(value => new pkijs.GeneralName({ type: 2, value })),
    ...(options.ip ?? []).map(
      ip => new pkijs.GeneralName({ type: 7, value: new asn1js.OctetString({ valueHex: ipBytes(ip) }) }),
    ),
  ];
  if (names.length > 0) {
    const altNames = new pkijs.GeneralNames({ names }).toSchema();
    extensions.push(extension('2.5.29.17', options.commonName === undefined, altNames));
  }
  if (options.ocspMustStaple === true) {
    const statusRequest = new asn1js.Sequence({ value: [new asn1js.Integer({ value: 5 })] });
    extensions.push(extension('1.3.6.1.5.5.7.1.24', false, statusRequest));
  }
  return extensions;
}

function extension(extnID: string, critical: boolean, value: asn1js.BaseBlock): pkijs.Extension {
  return new pkijs.Extension({ extnID, critical, extnValue: value.toBER() });
}

/** Bits of RFC 5280 section 4.2.1.3 that fit into the first byte. */
const KEY_USAGE_BITS = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 };

function keyUsage(...usages: (keyof typeof KEY_USAGE_BITS)[]): asn1js.BitString {
  const bits = usages.map(usage => KEY_USAGE_BITS[usage]);
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return new asn1js.BitString({ valueHex: Uint8Array.of(byte).buffer, unusedBits: 7 - Math.max(...bits) });
}

function nameOf(commonName: string | undefined): pkijs.RelativeDistinguishedNames {
  const value = new asn1js.Utf8String({ value: commonName ?? '' });
  const typesAndValues = commonName === undefined ? [] : [new pkijs.AttributeTypeAndValue({ type: '2.5.4.3', value })];
  return new pkijs.RelativeDistinguishedNames({ typesAndValues });
}

function subjectOf(pem: string): pkijs.RelativeDistinguishedNames {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return new pkijs.Certificate({ schema: parseDer(der) }).subject;
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
function timeOf(value: Date): pkijs.Time {
  return new pkijs.Time({ type: value.getUTCFullYear() < 2050 ? 0 : 1, value });
}

/** With parameters NULL for RSA (RFC 4055 section 5) and none for ECDSA (RFC 5758 section 3.2). */
function signatureAlgorithm(key: KeyObject, hash: 'sha256' | 'sha1'): pkijs.AlgorithmIdentifier {
  if (key.asymmetricKeyType === 'ec') {
    return new pkijs.AlgorithmIdentifier({
      algorithmId: hash === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2',
    });
  }
  const algorithmId = hash === 'sha1' ? '1.2.840.113549.1.1.5' : '1.2.840.113549.1.1.11';
  return new pkijs.AlgorithmIdentifier({ algorithmId, algorithmParams: new asn1js.Null() });
}

function spkiOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

/** Any value that is unique per key will do (RFC 5280 section 4.2.1.2). */
function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(spkiOf(key)).digest();
}

function positive(bytes: Buffer): ArrayBuffer {
  return bufferOf((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

function parseDer(der: Buffer): asn1js.AsnType {
  return asn1js.fromBER(bufferOf(der)).result;
}

function ipBytes(text: string): ArrayBuffer {
  const address = parseAddress(text);
  if (address === null) throw new TypeError(`Not an IP address: ${text}`);
  return bufferOf(addressBytes(address));
}

/** A copy of just these bytes: small Buffers share one pool. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
