/**
 * What a protocol says in the clear before TLS may start: yields bytes to send (null: nothing) and is given the bytes
 * that came, however they are cut. Returns when the next byte on the connection is the client's first of TLS, with
 * bytes to send before it (null: none). Throws StarttlsError where the other side does not come along. No sockets, no
 * time: the caller has them.
 */
export type Talk = Generator<Buffer | null, Buffer | null, Buffer>;

/** One protocol: `name` is the server's, as for SNI; null for a bare address. */
export type Starttls = (server: { name: string | null }) => Talk;

export type StarttlsReason =
  /** It says that it has no TLS here. */
  | 'STARTTLS_NOT_OFFERED'
  /** It declined the command, or the whole connection. */
  | 'STARTTLS_REFUSED'
  /** Its first bytes are of some other protocol. */
  | 'WRONG_PROTOCOL'
  /** It began well, and then broke the rules of the protocol. */
  | 'MALFORMED';

/** The other side speaks something else, or does not offer TLS. `reason` is a short upper-case word for stages. */
export class StarttlsError extends Error {
  constructor(
    readonly reason: StarttlsReason,
    message: string,
  ) {
    super(message);
    this.name = 'StarttlsError';
  }
}
