/**
 * What is wrong with a server of flawed-tls.ts. Left out, each is as it should be; everything around a flaw is the
 * protocol as it stands in its RFC.
 */
export interface Flaws {
  /**
   * ROBOT, CVE-2017-13099 and others (robotattack.org; Böck, Somorovsky, Young 2018): whether bad PKCS#1 padding of the
   * premaster secret shows. `none`: it does not (RFC 5246 section 7.4.7.1), a random secret lets the Finished fail.
   * Else, as soon as the ClientKeyExchange is read: `alert` (see `robotAlert`), `close` (no alert), `reset`, `timeout`
   * (silence from then on). `weak`: only padding without any zero byte is told apart, by that alert.
   */
  robot?: 'none' | 'alert' | 'close' | 'reset' | 'timeout' | 'weak';
  /** The alert of `robot`; default 40, handshake_failure. Seen in the field as well: 51, decrypt_error. */
  robotAlert?: number;
  /**
   * How padding of CBC records is checked. `checked`: whatever is wrong gives bad_record_mac (RFC 5246 section
   * 6.2.3.2). `unchecked`: only its last byte is looked at, POODLE against TLS, CVE-2014-8730 (imperialviolet.org,
   * December 2014). `distinct-alert`: decryption_failed for padding, bad_record_mac for the MAC (Vaudenay, Eurocrypt
   * 2002; CVE-2003-0078). `zombie`: closed without an alert where the padding is bad and the MAC valid, CVE-2019-5592
   * and its like (Zombie POODLE). `record-overflow`: record_overflow for a record of nothing but padding,
   * CVE-2016-2107 (OpenSSL's advisory of May 2016). `closing`: whatever is wrong closes without an alert.
   */
  padding?: 'closing' | 'checked' | 'unchecked' | 'distinct-alert' | 'zombie' | 'record-overflow';
  /**
   * Session tickets (RFC 5077). `exact`: a session taken up again echoes the client's session id (section 3.4).
   * `bleeding`: the echo is 32 bytes long whatever came, the rest is memory, CVE-2016-9244 (filippo.io/ticketbleed).
   * `no-tickets`: there are none. `full-id`: only taken up under an id of 32 bytes. `forgetful`: never taken up.
   */
  ticketbleed?: 'exact' | 'bleeding' | 'no-tickets' | 'full-id' | 'forgetful';
  /** Takes DEFLATE where it is offered (RFC 3749): CRIME, CVE-2012-4929. Then it goes no further than the hello. */
  compression?: boolean;
  /**
   * A handshake that the client begins anew (RFC 5246 section 7.4.1.1). `refused`: the warning no_renegotiation, and the
   * connection goes on. `accepted`: CVE-2011-1473. `ignored`: no answer. `closed`: the fatal alert handshake_failure.
   * `ended`: closed without an alert.
   */
  renegotiation?: 'refused' | 'accepted' | 'ignored' | 'closed' | 'ended';
  /** Without renegotiation_info (RFC 5746): CVE-2009-3555. */
  noRenegotiationInfo?: boolean;
  /**
   * A ChangeCipherSpec before the ClientKeyExchange, CVE-2014-0224 (OpenSSL's advisory of June 2014). `patched`:
   * unexpected_message. `accepted`: no answer, and unexpected_message to a second one. `closes`: closed without an
   * alert.
   */
  ccs?: 'patched' | 'accepted' | 'closes';
  /**
   * Heartbeats (RFC 6520). `none`: not spoken. `bounded`: a request that claims more than it holds is dropped (section
   * 4), others are answered. `bleeding`: as much as is claimed comes back, CVE-2014-0160. `ignoring`: agreed to, and no
   * request is ever answered. `closing`: agreed to, and closed without an alert on one that claims more. `late-bleeding`:
   * closed without an alert on any inside a handshake, bleeding after.
   */
  heartbeat?: 'none' | 'bounded' | 'bleeding' | 'ignoring' | 'closing' | 'late-bleeding';
  /**
   * Where it closes every connection without an alert: `on-anything` that comes after its first flight, `by-itself` a moment
   * after that flight, `on-finished` at the client's ChangeCipherSpec, `after-handshake` as soon as that is complete. Default:
   * nowhere.
   */
  closes?: 'on-anything' | 'by-itself' | 'on-finished' | 'after-handshake';
  /** Asks for a certificate of the client, and ends a handshake in which none comes by handshake_failure. */
  wantsCertificate?: boolean;
  /** No notice of TLS_FALLBACK_SCSV (RFC 7507), which else gives inappropriate_fallback. */
  noFallbackScsv?: boolean;
  /** How it says that it takes none of what is offered; default an alert. */
  refusal?: 'alert' | 'close' | 'reset';
}

/** What stands for memory that was never meant to leave the server. */
export const MEMORY = Buffer.from('the memory of somebody else; '.repeat(2400));
