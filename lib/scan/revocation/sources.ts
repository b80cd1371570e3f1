import { readDer, readOid } from '../../model/der';
import { context, contextPrimitive, partsOf, partsOfWhole } from './der-parts';
import type { CertificateFields } from './fields';

const AUTHORITY_INFORMATION_ACCESS = '1.3.6.1.5.5.7.1.1';
const OCSP = '1.3.6.1.5.5.7.48.1';
const CRL_DISTRIBUTION_POINTS = '2.5.29.31';
const URI = contextPrimitive(6);

/** Where a certificate says that its status can be asked for. */
export interface Sources {
  /** To be reached by HTTP or HTTPS. */
  urls: string[];
  /** Something is named, perhaps in a way that is not made use of (LDAP, a relative name, another issuer's list). */
  isNamed: boolean;
}

/** AuthorityInfoAccessSyntax (RFC 5280 section 4.2.2.1). Throws RangeError where it can't be read. */
export function ocspSources({ extensions }: CertificateFields): Sources {
  const extension = extensions.get(AUTHORITY_INFORMATION_ACCESS);
  const descriptions = extension === undefined ? [] : partsOfWhole(extension.value);
  const locations = descriptions
    .map(({ content }) => partsOf(content))
    .filter(([method]) => method !== undefined && readOid(method.content) === OCSP);
  return {
    urls: httpUrls(locations.map(([, location]) => location)),
    isNamed: locations.length > 0,
  };
}

/**
 * CRLDistributionPoints (RFC 5280 section 4.2.1.13). Points for some reasons only or with the list of another issuer
 * are left out. Throws RangeError where it can't be read.
 */
export function crlSources({ extensions }: CertificateFields): Sources {
  const extension = extensions.get(CRL_DISTRIBUTION_POINTS);
  const points = extension === undefined ? [] : partsOfWhole(extension.value);
  const urls = points.flatMap(({ content }) => {
    const [name, ...limits] = partsOf(content);
    return name?.tag === context(0) && limits.length === 0 ? fullNames(name.content) : [];
  });
  return { urls, isNamed: points.length > 0 };
}

/** The URLs of a DistributionPointName, none where it is relative to an issuer. */
export function fullNames(content: Buffer): string[] {
  const name = readDer(content);
  return name.tag === context(0) ? httpUrls(partsOf(name.content)) : [];
}

function httpUrls(names: readonly ({ tag: number; content: Buffer } | undefined)[]): string[] {
  return names
    .filter(name => name?.tag === URI)
    .map(name => name?.content.toString('latin1') ?? '')
    .filter(isFetchable);
}

/** By HTTP, and without a password in it, which nobody here has to send. */
function isFetchable(text: string): boolean {
  const url = parseUrl(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/** Not by URL.canParse, which says yes to some that the constructor refuses (Node.js 20, found by fuzzing). */
function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
