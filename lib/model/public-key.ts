import { readDer, readDerSequence, readOid, type DerElement } from './der';

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const PRIME_FIELD = '1.2.840.10045.1.1';
const BINARY_FIELD = '1.2.840.10045.1.2';
const SEQUENCE_TAG = 0x30;
/** OID id-ecPublicKey with the start of parameters that are no name. */
const EXPLICIT_START = Buffer.from('06072a8648ce3d020130', 'hex');
const VERSION_TAG = 0xa0;

/** What a certificate says of its key's algorithm, whether or not the runtime can use such a key. */
export interface KeyAlgorithm {
  /** Dotted OID; '' where there is none. */
  oid: string;
  /**
   * Of an EC key that brings its curve along instead of naming it, which RFC 5480 section 2.1.1 forbids: the size in bits
   * of its field or of its base point's order, whichever is smaller; 0 where they can't be read. Null for all other keys.
   */
  explicitCurveBits: number | null;
}

/** Reads the algorithm in the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7); an empty one where that is no DER. */
export function keyAlgorithmOf(certificate: Buffer): KeyAlgorithm {
  try {
    return readKeyAlgorithm(certificate);
  } catch {
    return { oid: '', explicitCurveBits: null };
  }
}

/** As `explicitCurveBits`; the bytes are looked through first, since parsing costs ten times as much. */
export function explicitCurveBitsOf(certificate: Buffer): number | null {
  return certificate.includes(EXPLICIT_START) ? keyAlgorithmOf(certificate).explicitCurveBits : null;
}

function readKeyAlgorithm(certificate: Buffer): KeyAlgorithm {
  const fields = readDerSequence(readDer(readDer(certificate).content).content);
  const spki = fields[fields[0]?.tag === VERSION_TAG ? 6 : 5];
  const [oidElement, parameters] = spki === undefined ? [] : readDerSequence(readDer(spki.content).content);
  const oid = oidElement === undefined ? '' : readOid(oidElement.content);
  const isExplicit = oid === EC_PUBLIC_KEY && parameters?.tag === SEQUENCE_TAG;
  return { oid, explicitCurveBits: isExplicit ? curveBits(parameters.content) : null };
}

/** ECParameters ::= SEQUENCE { version, fieldID, curve, base, order, cofactor? } (RFC 3279 section 2.3.5). */
function curveBits(parameters: Buffer): number {
  try {
    const [, field, , , order] = readDerSequence(parameters);
    if (field === undefined || order === undefined) return 0;
    return Math.min(fieldBits(readDerSequence(field.content)), bitLength(order.content));
  } catch {
    return 0;
  }
}

/** FieldID ::= SEQUENCE { fieldType, parameters }: a prime, or { m, basis, … }. */
function fieldBits([type, parameters]: DerElement[]): number {
  if (type === undefined || parameters === undefined) return 0;
  const oid = readOid(type.content);
  if (oid === PRIME_FIELD) return bitLength(parameters.content);
  const [m] = oid === BINARY_FIELD ? readDerSequence(parameters.content) : [];
  return m === undefined || m.content.length === 0 || m.content.length > 4
    ? 0
    : m.content.readUIntBE(0, m.content.length);
}

/** Of a positive INTEGER's content. */
function bitLength(content: Buffer): number {
  const first = content.findIndex(byte => byte !== 0);
  return first === -1 ? 0 : (content.length - first) * 8 - (Math.clz32(content[first] ?? 0) - 24);
}
