import { X509Certificate, type KeyObject } from 'node:crypto';
import { keyAlgorithmOf } from './public-key';
import { signatureAlgorithmOf } from './signature';

/** What CertDesk tells of one X.509 certificate. All text in it is the certificate's, so untrusted. */
export interface Certificate {
  /** Subject's common name; without one the first DNS name, the first address, the serial number. */
  commonName: string;
  /** DNS names and addresses of the subjectAltName extension, as plain values. */
  subjectAltNames: string[];
  /** RFC 4514 text, most specific first: `CN=R3,O=Let's Encrypt,C=US`. */
  issuer: string;
  subject: string;
  /** Upper-case hex without separators. */
  serialNumber: string;
  notBefore: string;
  notAfter: string;
  /** `sha256WithRSAEncryption`, …; the dotted OID where it has no known name. */
  signatureAlgorithm: string;
  /** `RSA`, `EC`, `ED25519`, …, `unknown` */
  keyType: string;
  /** Modulus or curve size in bits, 0 when unknown. */
  keyBits: number;
  /** SHA-256, upper-case hex with colons. */
  fingerprint256: string;
  selfSigned: boolean;
  pem: string;
}

/** Reads a certificate from DER bytes or PEM text. Throws where node:crypto can't read it. */
export function parseCertificate(source: Buffer | string): Certificate {
  return toCertificate(new X509Certificate(source));
}

/** The same of one that node:crypto has read already, which is most of the work. */
export function toCertificate(x509: X509Certificate): Certificate {
  // undefined for an empty one, whatever the types say (Node.js 20)
  const subject = (x509.subject as string | undefined) ?? '';
  const subjectNames = parseName(subject);
  const names = parseAltNames(x509.subjectAltName ?? '');
  const commonName = unescapeValue(subjectNames.findLast(([type]) => type === 'CN')?.[1] ?? '');
  const serialNumber = x509.serialNumber.toUpperCase();
  return {
    commonName: commonName || names.dns[0] || names.ip[0] || serialNumber,
    subjectAltNames: [...names.dns, ...names.ip],
    issuer: formatName(parseName(x509.issuer ?? '')),
    subject: formatName(subjectNames),
    serialNumber,
    notBefore: new Date(x509.validFrom).toISOString(),
    notAfter: new Date(x509.validTo).toISOString(),
    signatureAlgorithm: signatureAlgorithmOf(x509.raw),
    ...keyOf(x509),
    fingerprint256: x509.fingerprint256,
    selfSigned: subject === x509.issuer && isSignedByItself(x509),
    pem: x509.toString(),
  };
}

/** Not `checkIssued`, which also wants keyCertSign of the key usage. */
function isSignedByItself(x509: X509Certificate): boolean {
  try {
    return x509.verify(x509.publicKey);
  } catch {
    return false; // a key or signature that this OpenSSL does not know
  }
}

function keyOf(x509: X509Certificate): Pick<Certificate, 'keyType' | 'keyBits'> {
  let key: KeyObject;
  try {
    key = x509.publicKey;
  } catch {
    // a key type or parameters that this OpenSSL does not know
    const bits = keyAlgorithmOf(x509.raw).explicitCurveBits;
    return bits === null ? { keyType: 'unknown', keyBits: 0 } : { keyType: 'EC', keyBits: bits };
  }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const type = (key.asymmetricKeyType ?? 'unknown').toUpperCase();
  if (type === 'ED25519') return { keyType: type, keyBits: 256 };
  if (type === 'ED448') return { keyType: type, keyBits: 456 };
  if (type !== 'EC') return { keyType: type, keyBits: modulusLength ?? 0 };
  return { keyType: type, keyBits: bitsOfCurve(namedCurve) || (keyAlgorithmOf(x509.raw).explicitCurveBits ?? 0) };
}

/** OpenSSL's names have the size in them (secp160r1, brainpoolP256r1, X9.62's c2pnb163v1), but for a few that are long gone. */
function bitsOfCurve(name = ''): number {
  return name === 'SM2' ? 256 : Number(/\d{3}/.exec(name)?.[0] ?? 0);
}

/** node:crypto prints one attribute a line, `CN=example.com`, the values escaped as RFC 4514 wants it. */
function parseName(text: string): [type: string, escaped: string][] {
  return text
    .split('\n')
    .filter(line => line.includes('='))
    .map(line => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    });
}

function formatName(attributes: [string, string][]): string {
  return attributes
    .toReversed()
    .map(([type, escaped]) => `${type}=${escaped}`)
    .join(',');
}

/** RFC 4514 section 2.4: a backslash before the character itself, or before its two hex digits. */
function unescapeValue(escaped: string): string {
  return escaped.replace(/\\(?:([0-9A-Fa-f]{2})|(.))/gs, (_, hex: string | undefined, character: string) =>
    hex === undefined ? character : String.fromCharCode(parseInt(hex, 16)),
  );
}

/**
 * node:crypto prints `DNS:a, URI:https://b/, IP Address:192.0.2.1`, and a value with odd characters as a JSON string.
 * Entries of every kind are read, so that what stands inside one is no entry.
 */
function parseAltNames(text: string): { dns: string[]; ip: string[] } {
  const found = { dns: [] as string[], ip: [] as string[] };
  for (const match of text.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const raw = match[2] ?? '';
    const value = raw.startsWith('"') ? String(JSON.parse(raw)) : raw.trim();
    if (match[1] === 'DNS') found.dns.push(value);
    if (match[1] === 'IP Address') found.ip.push(value);
  }
  return found;
}
