import { random, uint, uint16s, vector } from './bytes';
import { VERSION_CODES, type TlsProtocol } from './names';

export interface HelloOptions {
  /** The highest version offered; TLS 1.3 offers itself alone. */
  protocol: TlsProtocol;
  /** Code points, two bytes each, in the order offered. */
  suites: Buffer;
  /** Sent as SNI; null for a bare address, since an address is never a server name (RFC 6066 section 3). */
  serverName: string | null;
  /** False for servers of SSLv3 that choke on extensions; SNI goes with them. Default true. */
  hasExtensions?: boolean;
  /** A session to take up again (RFC 5246 section 7.4.1.2), at most 32 bytes; not in TLS 1.3. Default: none. */
  sessionId?: Buffer;
  /** A session ticket to take up, empty to ask for one (RFC 5077 section 3.2); not in TLS 1.3. Default: not asked for. */
  sessionTicket?: Buffer;
  /** Says that a newer version was tried and failed (RFC 7507). Default false. */
  isFallback?: boolean;
  /** The client's verify_data in a renegotiation (RFC 5746 section 3.5); default: none, as in a first handshake. */
  renegotiationInfo?: Buffer;
  /** The only groups offered; default: all. */
  groups?: readonly number[];
}

/** A ClientHello as sent. */
export interface SentHello {
  /** The record, ready for the wire. */
  record: Buffer;
  /** The handshake message in it. */
  message: Buffer;
  random: Buffer;
}

/** Signals RFC 5746 in a hello that has no extensions (section 3.3). */
const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;
const FALLBACK_SCSV = 0x5600;
const DEFLATE_AND_NULL = Buffer.from([2, 1, 0]); // DEFLATE offered to see whether it is taken (CRIME)
const NULL_ONLY = Buffer.from([1, 0]); // anything else is illegal in TLS 1.3 (RFC 8446 section 4.1.2)

/** One record with a ClientHello (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2). */
export function clientHello(options: HelloOptions): SentHello {
  const { protocol, hasExtensions = true, isFallback = false, sessionId = NO_SESSION } = options;
  const isTls13 = protocol === 'TLSv1.3';
  const ownRandom = random(32);
  const signals = [...(hasExtensions ? [] : [EMPTY_RENEGOTIATION_INFO_SCSV]), ...(isFallback ? [FALLBACK_SCSV] : [])];
  const body: Buffer[] = [
    uint(Math.min(VERSION_CODES[protocol], VERSION_CODES['TLSv1.2']), 2),
    ownRandom,
    vector(1, isTls13 ? random(32) : sessionId), // in TLS 1.3 as middleboxes expect it (RFC 8446 D.4)
    signals.length === 0 ? vector(2, options.suites) : vector(2, options.suites, uint16s(signals)),
    isTls13 ? NULL_ONLY : DEFLATE_AND_NULL,
  ];
  if (hasExtensions) body.push(extensionsOf(options, lengthOf(body)));
  const recordVersion = protocol === 'SSLv3' ? VERSION_CODES.SSLv3 : VERSION_CODES.TLSv1;
  const length = lengthOf(body);
  const record = Buffer.concat([
    Buffer.from([22]),
    uint(recordVersion, 2),
    uint(length + 4, 2),
    Buffer.from([1]),
    uint(length, 3),
    ...body,
  ]);
  return { record, message: record.subarray(5), random: ownRandom };
}

const NO_SESSION = Buffer.alloc(0);

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** IANA's numbers of the extensions used. */
export const EXTENSION = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  heartbeat: 15,
  padding: 21,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  supportedVersions: 43,
  pskKeyExchangeModes: 45,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const;

function extension(type: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([uint(type, 2), vector(2, ...parts)]);
}

/**
 * Curves of today first, then every other that a server may be bound to. No finite-field groups: with them a server of
 * RFC 7919 would choose one of those instead of the parameters that it gives to older clients.
 */
const CLASSIC_GROUPS = [
  0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x001a, 0x001b, 0x001c, 0x0016, 0x0015, 0x0014, 0x0013, 0x0012, 0x0011,
  0x0010, 0x000f, 0x000e, 0x000d, 0x000c, 0x000b, 0x000a, 0x0009, 0x0008, 0x0007, 0x0006, 0x0005, 0x0004, 0x0003,
  0x0002, 0x0001,
];
/** X25519MLKEM768, its siblings, elliptic curves, Brainpool (RFC 8734), SM2, GOST (RFC 9189), finite fields (RFC 7919). */
const TLS13_GROUPS = [
  0x001d, 0x0017, 0x0018, 0x0019, 0x001e, 0x11ec, 0x11eb, 0x11ed, 0x0200, 0x0201, 0x0202, 0x001f, 0x0020, 0x0021,
  0x0029, 0x0022, 0x0023, 0x0024, 0x0025, 0x0026, 0x0027, 0x0028, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104,
];
const SIGNATURE_ALGORITHMS = [
  0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b,
  0x081a, 0x081b, 0x081c, 0x0708, 0x0709, 0x070a, 0x070b, 0x070c, 0x070d, 0x070e, 0x0303, 0x0301, 0x0203, 0x0201,
  0x0402, 0x0502, 0x0602, 0x0302, 0x0202, 0x0101,
];

const STATUS_REQUEST = extension(EXTENSION.statusRequest, Buffer.from([1, 0, 0, 0, 0]));
const ALGORITHMS = extension(EXTENSION.signatureAlgorithms, vector(2, uint16s(SIGNATURE_ALGORITHMS)));
/** Heartbeats may come (RFC 6520 section 2): a server that answers with the same can be asked for one. */
const HEARTBEAT = extension(EXTENSION.heartbeat, Buffer.from([1]));
const BEFORE_GROUPS = Buffer.concat([STATUS_REQUEST, HEARTBEAT]);
const AFTER_GROUPS = Buffer.concat([extension(EXTENSION.ecPointFormats, Buffer.from([3, 0, 1, 2])), ALGORITHMS]);
const NO_RENEGOTIATION = extension(EXTENSION.renegotiationInfo, Buffer.from([0]));
const CLASSIC = Buffer.concat([NO_RENEGOTIATION, BEFORE_GROUPS, groupsOf(CLASSIC_GROUPS), AFTER_GROUPS]);
/** An empty key_share makes the server name its group in a HelloRetryRequest, which costs neither side a key. */
const BEFORE_TLS13_GROUPS = Buffer.concat([
  extension(EXTENSION.supportedVersions, vector(1, uint(VERSION_CODES['TLSv1.3'], 2))),
  extension(EXTENSION.keyShare, vector(2)),
  extension(EXTENSION.pskKeyExchangeModes, vector(1, Buffer.from([1]))),
  STATUS_REQUEST,
]);
const TLS13 = Buffer.concat([BEFORE_TLS13_GROUPS, groupsOf(TLS13_GROUPS), ALGORITHMS]);

function groupsOf(groups: readonly number[]): Buffer {
  return extension(EXTENSION.supportedGroups, vector(2, uint16s(groups)));
}

/** The signature algorithms stand last, since some servers fail on an empty last extension. */
function extensionsOf(options: HelloOptions, lengthBefore: number): Buffer {
  const { protocol, groups, renegotiationInfo } = options;
  const isTls13 = protocol === 'TLSv1.3';
  const parts: Buffer[] = [];
  if (options.serverName !== null) parts.push(serverName(options.serverName));
  if (options.sessionTicket !== undefined) parts.push(extension(EXTENSION.sessionTicket, options.sessionTicket));
  if (groups === undefined && renegotiationInfo === undefined) {
    parts.push(isTls13 ? TLS13 : CLASSIC);
  } else if (isTls13) {
    parts.push(BEFORE_TLS13_GROUPS, groupsOf(groups ?? TLS13_GROUPS), ALGORITHMS);
  } else {
    const info = extension(EXTENSION.renegotiationInfo, vector(1, renegotiationInfo ?? NO_SESSION));
    parts.push(info, BEFORE_GROUPS, groupsOf(groups ?? CLASSIC_GROUPS), AFTER_GROUPS);
  }
  const padding = paddingFor(4 + lengthBefore + 2 + lengthOf(parts));
  if (padding !== null) parts.push(padding);
  return vector(2, ...parts);
}

function serverName(name: string): Buffer {
  return extension(EXTENSION.serverName, vector(2, Buffer.from([0]), vector(2, Buffer.from(name, 'latin1'))));
}

/**
 * Lengths at which some servers hang or reset: 256 to 511 bytes (RFC 7685 section 1), and those that are 10 or 14 above
 * a multiple of 256 (known from testssl.sh). `length` is the handshake message's, its header included.
 */
function paddingFor(length: number): Buffer | null {
  if (length >= 256 && length < 512) return extension(EXTENSION.padding, Buffer.alloc(Math.max(1, 512 - length - 4)));
  if (length % 256 === 10 || length % 256 === 14) return extension(EXTENSION.padding, Buffer.alloc(1));
  return null;
}
