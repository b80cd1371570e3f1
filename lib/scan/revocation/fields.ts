import { readDer, readOid } from '../../model/der';
import { context, expect, partsOf, partsOfWhole, readTime, TAG, withoutZeros, type Part } from './der-parts';

/** Something with its signature: a certificate, a revocation list, an OCSP answer. */
export interface Signed {
  /** The bytes that were signed. */
  tbs: Buffer;
  /** AlgorithmIdentifier, DER. */
  algorithm: Buffer;
  signature: Buffer;
}

export interface Extension {
  isCritical: boolean;
  /** DER inside the OCTET STRING. */
  value: Buffer;
}

/** What revocation needs of a certificate (RFC 5280 section 4.1). */
export interface CertificateFields extends Signed {
  serialNumber: Buffer;
  /** Name, DER. */
  issuer: Buffer;
  /** Name, DER. */
  subject: Buffer;
  /** SubjectPublicKeyInfo, DER. */
  publicKeyInfo: Buffer;
  /** The bits of the key alone, as the hashes of OCSP are made of. */
  publicKey: Buffer;
  notBefore: number;
  notAfter: number;
  extensions: ReadonlyMap<string, Extension>;
}

/** SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING } and what may follow it. Throws RangeError for anything else. */
export function readSigned(whole: readonly Part[]): Signed {
  const [tbs, algorithm, signature] = whole;
  return {
    tbs: expect(tbs, TAG.sequence).raw,
    algorithm: expect(algorithm, TAG.sequence).raw,
    signature: readBits(signature),
  };
}

function readBits(part: Part | undefined): Buffer {
  const { content } = expect(part, TAG.bitString);
  if (content[0] !== 0) throw new RangeError('DER: a BIT STRING of odd length');
  return content.subarray(1);
}

/** Throws RangeError where the bytes are no certificate. */
export function readFields(der: Buffer): CertificateFields {
  const signed = readSigned(partsOfWhole(der));
  const parts = partsOf(readDer(signed.tbs).content);
  if (parts[0]?.tag === context(0)) parts.shift(); // version
  const [serial, , issuer, validity, subject, key] = parts;
  const [notBefore, notAfter] = partsOf(expect(validity, TAG.sequence).content);
  if (notBefore === undefined || notAfter === undefined) throw new RangeError('DER: no validity');
  const publicKeyInfo = expect(key, TAG.sequence);
  return {
    ...signed,
    serialNumber: withoutZeros(expect(serial, TAG.integer).content),
    issuer: expect(issuer, TAG.sequence).raw,
    subject: expect(subject, TAG.sequence).raw,
    publicKeyInfo: publicKeyInfo.raw,
    publicKey: readBits(partsOf(publicKeyInfo.content)[1]),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    extensions: readExtensions(parts.find(({ tag }) => tag === context(3))),
  };
}

/** Extensions inside their EXPLICIT tag, by OID; none where there is no such part. */
export function readExtensions(tagged: Part | undefined): Map<string, Extension> {
  const found = new Map<string, Extension>();
  if (tagged === undefined) return found;
  for (const one of partsOfWhole(tagged.content)) {
    const [id, ...rest] = partsOf(expect(one, TAG.sequence).content);
    const isCritical = rest[0]?.tag === TAG.boolean && rest[0].content[0] !== 0;
    const value = rest.find(({ tag }) => tag === TAG.octetString);
    found.set(readOid(expect(id, TAG.oid).content), { isCritical, value: expect(value, TAG.octetString).content });
  }
  return found;
}

const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';

/** Whether the key may be used for what a bit of the key usage says; any use is allowed where there is no such list. */
export function mayUseKey({ extensions }: CertificateFields, bit: 'digitalSignature' | 'cRLSign'): boolean {
  const usage = extensions.get(KEY_USAGE);
  if (usage === undefined) return true;
  const bits = expect(readDer(usage.value), TAG.bitString).content[1] ?? 0;
  return (bits & (bit === 'digitalSignature' ? 0x80 : 0x02)) !== 0;
}

/** Whether the extended key usages name this purpose. */
export function hasPurpose({ extensions }: CertificateFields, oid: string): boolean {
  const usages = extensions.get(EXTENDED_KEY_USAGE);
  return usages !== undefined && partsOfWhole(usages.value).some(({ content }) => readOid(content) === oid);
}
