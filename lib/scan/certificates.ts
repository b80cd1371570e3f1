import { createHash, X509Certificate } from 'node:crypto';
import { toCertificate, type Certificate } from '../model/certificate';
import { readDer, readDerSequence, readOid } from '../model/der';

/** A certificate in all the forms that the scan needs, parsed once. */
export interface KnownCertificate {
  certificate: Certificate;
  x509: X509Certificate;
  der: Buffer;
  /** Whether it says that its server must staple (TLS feature status_request, RFC 7633). */
  isMustStaple: boolean;
}

/** Parsing costs more than a connection; intermediates and wildcards come again and again. */
const CACHE_SIZE = 500;
const cache = new Map<string, KnownCertificate | null>();

/** Reads a certificate as a server sent it; null where node:crypto cannot. Keeps the last ones, by their hash. */
export function readCertificate(der: Buffer): KnownCertificate | null {
  const key = createHash('sha256').update(der).digest('base64');
  const found = cache.get(key);
  if (found !== undefined) {
    cache.delete(key); // to the end: the one used last goes last
    cache.set(key, found);
    return found;
  }
  const known = parse(der);
  cache.set(key, known);
  if (cache.size > CACHE_SIZE) cache.delete(cache.keys().next().value ?? key);
  return known;
}

function parse(der: Buffer): KnownCertificate | null {
  try {
    const x509 = new X509Certificate(der);
    return {
      certificate: toCertificate(x509),
      x509,
      der: Buffer.from(der), // a copy, so that the flight it came in can go
      isMustStaple: isMustStaple(der),
    };
  } catch {
    return null;
  }
}

const TLS_FEATURE = '1.3.6.1.5.5.7.1.24';
const STATUS_REQUEST = 5;
const EXTENSIONS_TAG = 0xa3;
const OCTET_STRING = 0x04;

/** Extensions ::= [3] EXPLICIT SEQUENCE OF SEQUENCE { OID, critical?, OCTET STRING } (RFC 5280 section 4.1). */
function isMustStaple(der: Buffer): boolean {
  const tbs = readDerSequence(readDer(der).content)[0];
  const extensions = tbs && readDerSequence(tbs.content).find(element => element.tag === EXTENSIONS_TAG);
  if (extensions === undefined) return false;
  for (const extension of readDerSequence(readDer(extensions.content).content)) {
    const parts = readDerSequence(extension.content);
    if (parts[0] === undefined || readOid(parts[0].content) !== TLS_FEATURE) continue;
    const value = parts.find(part => part.tag === OCTET_STRING);
    if (value === undefined) return false;
    return readDerSequence(readDer(value.content).content).some(
      feature => feature.content.length === 1 && feature.content[0] === STATUS_REQUEST,
    );
  }
  return false;
}
