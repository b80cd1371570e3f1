import type { Finding } from './finding';
import { oneLine } from './text';

/** The standard subject of a ticket or mail about one Finding; see "Standard ticket texts" in docs/contract.md. */
export function subjectOf(finding: Finding): string {
  return oneLine(
    finding.kind === 'expiry'
      ? `SSL Certificate ${finding.certificate.commonName} expiry`
      : `Vulnerabilities for ${displayName(finding)}`,
  );
}

/** The place's name, else the certificate's, else the address: a wildcard or a mere serial number names nothing. */
export function displayName(finding: Finding): string {
  const { commonName, serialNumber } = finding.certificate;
  const first = finding.endpoints[0];
  if (first?.domain) return first.domain;
  return commonName.includes('*') || commonName === serialNumber || commonName === '' ? (first?.ip ?? '') : commonName;
}
