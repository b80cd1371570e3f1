import { readCertificate, type KnownCertificate } from './certificates';
import type { Observation } from './observation';
import { isFiniteField, type Suite } from './suites/suites';
import { judgeTrust, type Anchors } from './trust';
import { EXTENSION } from './wire/client-hello';
import type { TlsProtocol } from './wire/names';
import { primeBits, type ServerFlight } from './wire/server-flight';

/** Where it is kept, and by what certificates are judged. */
export interface Keeper {
  readonly seen: Observation;
  readonly anchors: Anchors;
}

/** Keeps all that a server's first flight shows. */
export function keepFlight(keeper: Keeper, protocol: TlsProtocol, suite: Suite, flight: ServerFlight): void {
  const { seen } = keeper;
  seen.accepted[protocol].add(suite);
  if (seen.protocols[protocol].state !== 'offered') {
    seen.protocols[protocol] = { state: 'offered', reason: `it answered with ${suite.name}` };
  }
  if (flight.speaksTls13) seen.speaksTls13 = true;
  if (protocol === 'TLSv1.3') return;
  if (flight.compression !== 0) seen.compressed.add(protocol);
  const isSecure = flight.extensions.has(EXTENSION.renegotiationInfo);
  (isSecure ? seen.renegotiation.secure : seen.renegotiation.insecure).add(protocol);
  if (flight.extensions.has(EXTENSION.heartbeat)) seen.heartbeats.set(protocol, suite);
  if (flight.serverKeyExchange !== null && isFiniteField(suite)) {
    const bits = readPrimeBits(flight.serverKeyExchange, suite);
    if (bits > 0) seen.primes.push({ protocol, suite, bits });
  }
  keepCertificates(keeper, flight.certificates, flight.staple, { isTodays: false });
}

/** Keeps a chain as sent, once per leaf; the one that today's clients get goes first. */
export function keepCertificates(
  { seen, anchors }: Keeper,
  chain: readonly Buffer[],
  staple: Buffer | null,
  { isTodays }: { isTodays: boolean },
): void {
  const [leafDer, ...rest] = chain;
  if (leafDer === undefined) return;
  const { served } = seen;
  const known = served.find(({ leaf }) => leaf.der.equals(leafDer));
  if (known !== undefined) {
    known.staple = staple ?? known.staple;
    if (isTodays) served.sort((a, b) => Number(b === known) - Number(a === known));
    return;
  }
  const leaf = readCertificate(leafDer);
  if (leaf === null) {
    seen.certificateProblem = 'the certificate cannot be read';
    return;
  }
  const others = rest.map(readCertificate).filter((one): one is KnownCertificate => one !== null);
  const trust = judgeTrust(leaf, others, anchors, seen.at);
  served[isTodays ? 'unshift' : 'push']({ leaf, chain: others, staple, trust });
}

function readPrimeBits(serverKeyExchange: Buffer, suite: Suite): number {
  try {
    return primeBits(serverKeyExchange, { hasPskHint: suite.auth === 'PSK' });
  } catch {
    return 0; // the suite counts as accepted, and its prime as unknown
  }
}
