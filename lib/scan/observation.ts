import type { Endpoint } from '../model/endpoint';
import { PROTOCOLS, type Protocol, type ProtocolState } from '../model/report';
import type { KnownCertificate } from './certificates';
import { isFiniteField, type Suite } from './suites/suites';
import type { TrustJudgement } from './trust';
import type { TlsProtocol } from './wire/names';

/** What is known of one protocol version, and why. */
export interface ProtocolSeen {
  state: ProtocolState;
  /** Half a sentence of evidence: `alert protocol_version`, `timed out`. */
  reason: string;
}

/** A certificate that the endpoint serves, with what came with it. */
export interface ServedCertificate {
  leaf: KnownCertificate;
  /** As sent, the leaf left out, and what could not be parsed left out. */
  chain: KnownCertificate[];
  /** The last OCSP answer stapled to it, DER; null where none came. */
  staple: Buffer | null;
  trust: TrustJudgement;
}

/** Suites that could not be asked for to the end. */
export interface Undecided {
  protocol: Protocol;
  suites: readonly Suite[];
  reason: string;
}

/** How the server took a ChangeCipherSpec before its time (CVE-2014-0224). */
export type EarlyCcs =
  | { kind: 'refused'; detail: string }
  /** Silence, and a reaction to a second one. */
  | { kind: 'taken' }
  | { kind: 'silent' };

/** Everything that the connections of one scan showed; what the checks judge. */
export interface Observation {
  readonly endpoint: Endpoint;
  readonly at: Date;
  readonly protocols: Record<Protocol, ProtocolSeen>;
  /** Suites that the server chose, per version. */
  readonly accepted: Record<Protocol, Set<Suite>>;
  /** The server's own order of suites, by version; none where it follows the client's or was not asked for it. */
  readonly preference: Map<Protocol, readonly Suite[]>;
  readonly undecided: Undecided[];
  /** The first is what today's clients get. */
  readonly served: ServedCertificate[];
  /** Kinds of certificate (RSA, ECDSA) that a server of TLS 1.3 alone was asked for in vain. */
  readonly kindsUnanswered: CertificateKind[];
  /** Why there is no certificate although the server speaks TLS; '' while there is no such reason. */
  certificateProblem: string;
  /** Sizes of the primes seen in Diffie-Hellman handshakes, in bits. */
  readonly primes: { protocol: Protocol; suite: Suite; bits: number }[];
  /** Versions in which the server took compression; the hellos of SSLv3 to TLS 1.2 offer DEFLATE. */
  readonly compressed: Set<Protocol>;
  /** Versions (SSLv3 to TLS 1.2) by whether the ServerHello confirmed RFC 5746. */
  readonly renegotiation: { readonly secure: Set<Protocol>; readonly insecure: Set<Protocol> };
  /** Versions (SSLv3 to TLS 1.2) in which the ServerHello said that heartbeats may be sent (RFC 6520), with a suite. */
  readonly heartbeats: Map<TlsProtocol, Suite>;
  earlyCcs: EarlyCcs | null;
  /** Set where a server agreed to TLS 1.2 or less but marked that it could do 1.3. */
  speaksTls13: boolean;
}

export function newObservation(endpoint: Endpoint, at: Date): Observation {
  const record = <T>(make: () => T): Record<Protocol, T> =>
    Object.fromEntries(PROTOCOLS.map(protocol => [protocol, make()])) as Record<Protocol, T>;
  return {
    endpoint,
    at,
    protocols: record(() => ({ state: 'cannot-tell', reason: 'it was not asked' })),
    accepted: record(() => new Set<Suite>()),
    preference: new Map(),
    undecided: [],
    served: [],
    kindsUnanswered: [],
    certificateProblem: '',
    primes: [],
    compressed: new Set(),
    renegotiation: { secure: new Set(), insecure: new Set() },
    heartbeats: new Map(),
    earlyCcs: null,
    speaksTls13: false,
  };
}

/** Whether the endpoint answered with a hello of any version. */
export function hasAnswered(seen: Observation): boolean {
  return PROTOCOLS.some(protocol => seen.protocols[protocol].state === 'offered');
}

/** SSLv3 to TLS 1.2, where the suite decides the kind of certificate, newest first. */
export const BY_SUITE: readonly TlsProtocol[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'];
/** A kind of certificate by its key, in the words of suites. */
export type CertificateKind = 'RSA' | 'ECDSA';
export const KINDS: readonly CertificateKind[] = ['RSA', 'ECDSA'];

/** The newest version in which suites decide the kind of certificate; undefined where only TLS 1.3 or SSLv2 is spoken. */
export function newestBySuite(seen: Observation): TlsProtocol | undefined {
  return BY_SUITE.find(protocol => seen.protocols[protocol].state === 'offered');
}

/** The kinds of certificate that no accepted suite of that version showed. */
export function kindsOpen(seen: Observation, protocol: TlsProtocol): string[] {
  const shown = new Set<string>([...seen.accepted[protocol]].map(suite => suite.auth));
  return KINDS.filter(kind => !shown.has(kind));
}

/**
 * Whether the endpoint had its chance to show a certificate of each kind: in its newest version in which suites decide
 * that, else in TLS 1.3, a kind that it did not show was refused.
 */
export function hasShownAllKinds(seen: Observation): boolean {
  if (seen.protocols['TLSv1.2'].state === 'cannot-tell') return false;
  const newest = newestBySuite(seen);
  if (newest === undefined) return seen.kindsUnanswered.length === 0;
  const open = kindsOpen(seen, newest);
  return !seen.undecided.some(
    ({ protocol, suites }) => protocol === newest && suites.some(({ auth }) => open.includes(auth)),
  );
}

/** Diffie-Hellman suites that were accepted while the size of their prime stayed unknown. */
export function primesUnknown(seen: Observation): Suite[] {
  const known = new Set(seen.primes.map(({ suite }) => suite));
  return PROTOCOLS.flatMap(protocol => [...seen.accepted[protocol]]).filter(
    suite => suite.family === 'classic' && isFiniteField(suite) && !known.has(suite),
  );
}
