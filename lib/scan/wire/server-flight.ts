import { ByteReader, WireError } from './bytes';
import { EXTENSION } from './client-hello';
import { MESSAGE, MessageReader } from './messages';
import { protocolOf, type TlsProtocol } from './names';
import { RECORD, RecordReader } from './records';

/** What a server said up to its ServerHelloDone, or up to ServerHello or HelloRetryRequest in TLS 1.3. */
export interface ServerFlight {
  /** The version chosen; undefined for a number that does not exist. */
  protocol: TlsProtocol | undefined;
  random: Buffer;
  sessionId: Buffer;
  suite: number;
  compression: number;
  /** Numbers of the extensions in the ServerHello. */
  extensions: ReadonlySet<number>;
  /** The group of its key_share (RFC 8446 section 4.2.8), which a HelloRetryRequest asks for; null before TLS 1.3. */
  group: number | null;
  /** The mark that a server of TLS 1.3 leaves when it agrees to TLS 1.2 or less (RFC 8446 section 4.1.3). */
  speaksTls13: boolean;
  /** DER, the server's own first; empty for a suite without certificate. */
  certificates: Buffer[];
  /** The stapled OCSP answer, DER (RFC 6066 section 8). */
  staple: Buffer | null;
  serverKeyExchange: Buffer | null;
  /** The handshake messages as they came, headers included: what a Finished has to be computed over. */
  messages: Buffer[];
  /** Whether everything came that belongs to it. */
  isComplete: boolean;
  /** Whether the server took up a session instead: it goes on to its Finished without a ServerHelloDone. */
  isResumed: boolean;
}

export interface Alert {
  isFatal: boolean;
  description: number;
}

const MAX_CERTIFICATES = 32;

/** Collects a server's first flight, however it comes cut into records and chunks. */
export class FlightReader {
  readonly #records = new RecordReader();
  readonly #messages = new MessageReader();
  flight: ServerFlight | null = null;
  /** The last alert seen. Warnings do not end a flight: some servers send unrecognized_name and go on. */
  alert: Alert | null = null;

  /** True when nothing more is to be expected. Throws WireError; what was understood before stays readable. */
  push(chunk: Buffer): boolean {
    for (const record of this.#records.read(chunk)) {
      if (record.type === RECORD.alert) {
        this.alert = parseAlert(record.content);
        if (this.alert.isFatal) return true;
      } else if (record.type === RECORD.handshake) {
        if (this.#readMessages(record.content)) return true;
      } else if (this.flight === null) {
        throw new WireError('MALFORMED', `a record of type ${record.type} before any ServerHello`);
      } else {
        this.flight.isResumed = true; // it goes on without us
        return true;
      }
    }
    return false;
  }

  #readMessages(content: Buffer): boolean {
    for (const message of this.#messages.read(content)) {
      const isDone = this.#readMessage(message[0] ?? 0, message.subarray(4));
      this.flight?.messages.push(message);
      if (isDone) return true;
    }
    return false;
  }

  #readMessage(type: number, body: Buffer): boolean {
    if (this.flight === null) {
      if (type !== MESSAGE.serverHello) throw new WireError('MALFORMED', `message ${type} where a ServerHello belongs`);
      this.flight = parseServerHello(body);
      this.flight.isComplete = this.flight.protocol === 'TLSv1.3';
      return this.flight.isComplete;
    }
    if (type === MESSAGE.certificate) this.flight.certificates = parseCertificates(body);
    else if (type === MESSAGE.certificateStatus) this.flight.staple = parseStatus(body);
    else if (type === MESSAGE.serverKeyExchange) this.flight.serverKeyExchange = body;
    else if (type === MESSAGE.serverHelloDone) this.flight.isComplete = true;
    return this.flight.isComplete;
  }
}

function parseAlert(content: Buffer): Alert {
  const reader = new ByteReader(content);
  return { isFatal: reader.number(1) !== 1, description: reader.number(1) };
}

/** RFC 5246 section 7.4.1.3; extensions may be missing altogether. */
function parseServerHello(body: Buffer): ServerFlight {
  const reader = new ByteReader(body);
  let version = reader.number(2);
  const random = reader.take(32);
  const sessionId = reader.vector(1);
  const suite = reader.number(2);
  const compression = reader.number(1);
  const extensions = new Set<number>();
  let group: number | null = null;
  if (reader.remaining > 0) {
    const list = new ByteReader(reader.vector(2));
    while (list.remaining > 0) {
      const type = list.number(2);
      const content = list.vector(2);
      extensions.add(type);
      if (type === EXTENSION.supportedVersions) version = new ByteReader(content).number(2);
      else if (type === EXTENSION.keyShare) group = new ByteReader(content).number(2);
    }
  }
  return {
    protocol: protocolOf(version),
    random,
    sessionId,
    suite,
    compression,
    extensions,
    group,
    speaksTls13: random.toString('latin1', 24) === 'DOWNGRD\x01',
    certificates: [],
    staple: null,
    serverKeyExchange: null,
    messages: [],
    isComplete: false,
    isResumed: false,
  };
}

/** RFC 5246 section 7.4.2. */
function parseCertificates(body: Buffer): Buffer[] {
  const list = new ByteReader(new ByteReader(body).vector(3));
  const certificates: Buffer[] = [];
  while (list.remaining > 0) {
    if (certificates.length === MAX_CERTIFICATES) throw new WireError('MALFORMED', 'too many certificates');
    certificates.push(list.vector(3));
  }
  return certificates;
}

/** RFC 6066 section 8: type 1 is OCSP. */
function parseStatus(body: Buffer): Buffer | null {
  const reader = new ByteReader(body);
  return reader.number(1) === 1 ? reader.vector(3) : null;
}

/**
 * Size in bits of the prime in a ServerKeyExchange of a Diffie-Hellman suite (RFC 5246 section 7.4.3); with a
 * pre-shared key a hint stands before it (RFC 4279 section 3). Throws WireError.
 */
export function primeBits(serverKeyExchange: Buffer, { hasPskHint }: { hasPskHint: boolean }): number {
  const reader = new ByteReader(serverKeyExchange);
  if (hasPskHint) reader.vector(2);
  const prime = reader.vector(2);
  const first = prime.findIndex(byte => byte !== 0);
  if (first === -1) return 0;
  return (prime.length - first) * 8 - (Math.clz32(prime[first] ?? 0) - 24);
}
