import type { X509Certificate } from 'node:crypto';
import type { ServedCertificate } from '../observation';
import type { Verdict } from '../../model/report';
import { findIssuer, type Anchors } from '../trust';
import { readFields, type CertificateFields } from './fields';

/** The verdict on one certificate; `detail` goes on after its name: `is revoked since …`. */
export interface RevocationStatus {
  verdict: Exclude<Verdict, 'skipped'>;
  detail: string;
}

export const cannotTell = (detail: string): RevocationStatus => ({ verdict: 'cannot-tell', detail });

/** How a check may ask. */
export interface Asking {
  now: Date;
  timeoutMs: number;
  signal: AbortSignal;
}

/** A certificate and its issuer as far as revocation needs them; the issuer is null where it is not known. */
export interface Pair {
  leaf: CertificateFields;
  issuer: CertificateFields | null;
}

/** Reading costs more than asking for it again and again. */
const read = new WeakMap<X509Certificate, CertificateFields | null>();

function fieldsOf(x509: X509Certificate): CertificateFields | null {
  const known = read.get(x509);
  if (known !== undefined) return known;
  let fields: CertificateFields | null = null;
  try {
    fields = readFields(x509.raw);
  } catch {
    // OpenSSL reads what DER does not allow; such a one has no readable source of its status
  }
  read.set(x509, fields);
  return fields;
}

/** Null where the certificate can't be read. */
export function pairOf(served: ServedCertificate, anchors: Anchors): Pair | null {
  const leaf = fieldsOf(served.leaf.x509);
  if (leaf === null) return null;
  const issuer = findIssuer(served, anchors);
  return { leaf, issuer: issuer === null ? null : fieldsOf(issuer) };
}
