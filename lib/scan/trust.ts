import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { KnownCertificate } from './certificates';

/** Whether a path leads from a server's certificate to an anchor. */
export interface TrustJudgement {
  isTrusted: boolean;
  /** OpenSSL's word for what is wrong, '' when trusted. */
  reason: string;
  /** For people. */
  detail: string;
  /** The certificates between leaf and anchor on the path found, the leaf first, the anchor left out. */
  path: KnownCertificate[];
}

/** Certificates that end a path, by their subject. */
export type Anchors = ReadonlyMap<string, readonly X509Certificate[]>;

/** Longer paths than this are nobody's (the CA/Browser Forum's are four long). */
const MAX_DEPTH = 8;
/** A server may send dozens of certificates that claim to have issued each other. */
const MAX_SIGNATURES = 40;

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const ANY_PURPOSE = '2.5.29.37.0';

/**
 * Judges a chain as sent against the anchors, in any order and with cross-signed certificates in it (RFC 4158).
 * Names, revocation and the leaf's own dates are other checks' business; those of the certificates above it are judged
 * here, since a client fails on them in the same way.
 */
export function judgeTrust(
  leaf: KnownCertificate,
  chain: readonly KnownCertificate[],
  anchors: Anchors,
  now: Date,
): TrustJudgement {
  const purposes = leaf.x509.keyUsage as string[] | undefined; // node's name for the extended key usages
  if (purposes !== undefined && !purposes.includes(SERVER_AUTH) && !purposes.includes(ANY_PURPOSE)) {
    return failed('INVALID_PURPOSE', 'the certificate is not issued for servers');
  }
  const search: Search = { chain, anchors, now, signatures: 0, problem: null };
  const path = findPath(leaf, [leaf], search);
  if (path !== null) return { isTrusted: true, reason: '', detail: '', path };
  return failed(...(search.problem ?? missingIssuer(leaf, chain)));
}

function failed(reason: string, detail: string): TrustJudgement {
  return { isTrusted: false, reason, detail, path: [] };
}

interface Search {
  readonly chain: readonly KnownCertificate[];
  readonly anchors: Anchors;
  readonly now: Date;
  signatures: number;
  /** The first thing that broke a path. */
  problem: [reason: string, detail: string] | null;
}

function findPath(at: KnownCertificate, path: KnownCertificate[], search: Search): KnownCertificate[] | null {
  const isAnchor = (search.anchors.get(at.x509.subject) ?? []).some(
    anchor => anchor.fingerprint256 === at.x509.fingerprint256,
  );
  if (isAnchor) return path.length > 1 ? path.slice(0, -1) : path;
  for (const anchor of search.anchors.get(at.x509.issuer) ?? []) {
    if (isOutside(anchor, search.now)) continue;
    if (isSignedBy(at.x509, anchor, search)) return path;
  }
  if (path.length >= MAX_DEPTH) return null;
  for (const issuer of search.chain) {
    if (issuer.x509.subject !== at.x509.issuer || path.includes(issuer)) continue;
    if (!isSignedBy(at.x509, issuer.x509, search)) {
      search.problem ??= ['CERT_SIGNATURE_FAILURE', `the signature of ${issuer.certificate.commonName} does not fit`];
      continue;
    }
    if (!issuer.x509.ca) {
      search.problem ??= ['INVALID_CA', `${issuer.certificate.commonName} is not allowed to issue certificates`];
      continue;
    }
    if (isOutside(issuer.x509, search.now)) {
      search.problem ??= [
        search.now < new Date(issuer.x509.validFrom) ? 'CERT_NOT_YET_VALID' : 'CERT_HAS_EXPIRED',
        `the issuing certificate ${issuer.certificate.commonName} is valid from ${issuer.certificate.notBefore} to ${issuer.certificate.notAfter}`,
      ];
      continue;
    }
    const found = findPath(issuer, [...path, issuer], search);
    if (found !== null) return found;
  }
  return null;
}

function missingIssuer(leaf: KnownCertificate, chain: readonly KnownCertificate[]): [string, string] {
  if (leaf.certificate.selfSigned) {
    return ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is self-signed and not among the trusted ones'];
  }
  const others = chain.filter(({ certificate }) => certificate.fingerprint256 !== leaf.certificate.fingerprint256);
  if (others.length === 0) {
    return [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      `the server sent no intermediate certificate, and ${leaf.certificate.issuer} is not a trusted root`,
    ];
  }
  const root = others.find(({ certificate }) => certificate.selfSigned);
  if (root !== undefined) {
    return ['SELF_SIGNED_CERT_IN_CHAIN', `the chain ends at ${root.certificate.commonName}, which is not trusted`];
  }
  return ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the chain that the server sent leads to no trusted root'];
}

/**
 * Whose key signed the leaf: somebody on the path that was found, else among what was sent, else an anchor, whatever its
 * dates are. Null where none of them did.
 */
export function findIssuer(
  { leaf, chain, trust }: { leaf: KnownCertificate; chain: readonly KnownCertificate[]; trust: TrustJudgement },
  anchors: Anchors,
): X509Certificate | null {
  const sent = [...trust.path, ...chain].map(({ x509 }) => x509).filter(x509 => x509.subject === leaf.x509.issuer);
  const search = { signatures: 0 };
  const candidates = [...sent, ...(anchors.get(leaf.x509.issuer) ?? [])];
  return candidates.find(issuer => isSignedBy(leaf.x509, issuer, search)) ?? null;
}

function isOutside(x509: X509Certificate, now: Date): boolean {
  return now < new Date(x509.validFrom) || now > new Date(x509.validTo);
}

/** What was verified once stays so for as long as both certificates are known. */
const verified = new WeakMap<X509Certificate, WeakMap<X509Certificate, boolean>>();

function isSignedBy(child: X509Certificate, issuer: X509Certificate, search: Pick<Search, 'signatures'>): boolean {
  const known = verified.get(child)?.get(issuer);
  if (known !== undefined) return known;
  search.signatures += 1;
  if (search.signatures > MAX_SIGNATURES) return false;
  const answer = verify(child, issuer);
  const ofChild = verified.get(child) ?? new WeakMap<X509Certificate, boolean>();
  verified.set(child, ofChild.set(issuer, answer));
  return answer;
}

function verify(child: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return child.verify(issuer.publicKey);
  } catch {
    return false; // a key or an algorithm that this OpenSSL does not take
  }
}

const anchorsByExtra = new Map<string, Anchors>();

/** The runtime's roots, those of NODE_EXTRA_CA_CERTS, and `extra` (PEM texts); made once for the same `extra`. */
export function anchorsWith(extra: readonly string[]): Anchors {
  const key = extra.join('\n');
  const known = anchorsByExtra.get(key);
  if (known !== undefined) return known;
  const bySubject = new Map<string, X509Certificate[]>();
  for (const pem of [...tls.rootCertificates, ...splitPem(readExtraFile()), ...extra.flatMap(splitPem)]) {
    const x509 = readAnchor(pem);
    if (x509 === null) continue;
    const same = bySubject.get(x509.subject);
    if (same === undefined) bySubject.set(x509.subject, [x509]);
    else same.push(x509);
  }
  anchorsByExtra.clear(); // settings change seldom, and then the old ones are done with
  anchorsByExtra.set(key, bySubject);
  return bySubject;
}

/** A text may hold a whole bundle. */
function splitPem(text: string): string[] {
  return text.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]+-----END (TRUSTED )?CERTIFICATE-----/g) ?? [];
}

function readAnchor(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null; // one broken entry of a bundle does not take the others with it
  }
}

/** As node:tls does: a file that cannot be read counts as empty. */
function readExtraFile(): string {
  const path = process.env['NODE_EXTRA_CA_CERTS'];
  if (path === undefined || path === '') return '';
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
