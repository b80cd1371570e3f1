import { isCheckId, type CheckId } from '../../../lib/model/checks';
import type { Protocol } from '../../../lib/model/report';
import type { Ca, IssuedCertificate } from '../../lab/certificates';
import type { DebianServerName } from '../../lab/debian-tls-commands';
import type { Installed } from '../../lab/old-servers';

/** What a row's server can be made of; the certificate is for a.example, from a root that the scan trusts. */
export interface Lab {
  ca: Ca;
  rsa: IssuedCertificate;
  ec: IssuedCertificate;
  old: Installed;
  /** PEM of Diffie-Hellman parameters with a prime of so many bits. */
  dhparam(bits: 512 | 768 | 1024 | 2048): string;
}

/** A server that was started for a row. */
export interface Running {
  readonly host: string;
  readonly port: number;
  /** By the server's own count, where it keeps one. */
  connections?: () => Promise<number>;
  close(): Promise<void>;
}

/**
 * One server, and what is true of it: known from what the server is, not from what a scanner said. Ids that are in none
 * of the lists must be `ok`; `cannot-tell` is an error everywhere.
 */
export interface Row {
  name: string;
  /** Only with CERTDESK_LONG=1. */
  isLong?: boolean;
  start(lab: Lab): Promise<Running>;
  /** Servers of Debian's that it takes. */
  debian?: DebianServerName;
  /** Suites of each version; a version that is not there is refused. */
  suites: Partial<Record<Protocol, number>>;
  vulnerable: readonly CheckId[];
  notApplicable: readonly CheckId[];
  /** Where nobody could tell; the row says why. */
  cannotTell?: readonly CheckId[];
  /** Kinds of key of the certificates that it shows; default: RSA alone. */
  keys?: readonly ('RSA' | 'EC')[];
  /** Most connections that profile `quick` may take. */
  most: number;
}

/** Ids in a text, parted by white space. Throws where one is none. */
export function ids(...texts: string[]): CheckId[] {
  return texts
    .flatMap(text => text.split(/\s+/))
    .filter(word => word !== '')
    .map(word => {
      if (!isCheckId(word)) throw new Error(`${word} is no check`);
      return word;
    });
}

/** A certificate that asks for nothing: no stapling, no responder, no list. */
export const PLAIN = 'must-staple revoked-ocsp revoked-crl';
/** Where TLS 1.3 is all there is. */
export const ONLY_TLS13 =
  'heartbleed ccs-injection padding-oracle-2016-2107 poodle-tls robot crime insecure-renegotiation client-renegotiation ticketbleed no-fallback-scsv';
/** Where no version of TLS has a CBC suite. */
export const NO_CBC = 'padding-oracle-2016-2107 poodle-tls';
/** Where no suite has RSA key exchange. */
export const NO_STATIC_RSA = 'robot';
