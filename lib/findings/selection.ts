import type { Certificate } from '../model/certificate';
import type { Endpoint } from '../model/endpoint';
import { makeMatcher } from '../model/lists';

export interface Patterns {
  include: readonly string[];
  exclude: readonly string[];
}

/**
 * Those of a certificate's places that `include` and `exclude` leave, by patterns on names (the place's and the
 * certificate's), address, issuer and serial number. A pattern that matches the certificate itself stands for all of
 * its places. Null when nothing is left, or the certificate is excluded.
 */
export function selectPlaces(
  patterns: Patterns,
): (certificate: Certificate, endpoints: readonly Endpoint[]) => Endpoint[] | null {
  const includes = patterns.include.length === 0 ? () => true : makeMatcher(patterns.include);
  const excludes = makeMatcher(patterns.exclude);
  return (certificate, endpoints) => {
    const own = certificateValues(certificate);
    if (own.some(excludes)) return null;
    const isIncluded = own.some(includes);
    const left = endpoints.filter(endpoint => {
      const values = endpointValues(endpoint);
      return (isIncluded || values.some(includes)) && !values.some(excludes);
    });
    return left.length > 0 ? left : null;
  };
}

/** All values of a Finding that a pattern may match. */
export function patternValues(certificate: Certificate, endpoints: readonly Endpoint[]): string[] {
  return [...certificateValues(certificate), ...endpoints.flatMap(endpointValues)];
}

function certificateValues(certificate: Certificate): string[] {
  const { commonName, subjectAltNames, issuer, serialNumber } = certificate;
  return [commonName, ...subjectAltNames, issuer, serialNumber];
}

function endpointValues({ name, domain, ip }: Endpoint): string[] {
  return [name, ...(domain === null ? [] : [domain]), ...(ip === '' ? [] : [ip])];
}
