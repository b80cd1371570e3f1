/** One port of one place. */
export interface Endpoint {
  /** The name that was asked for (sent as SNI), null for a bare address. */
  domain: string | null;
  /** The address connected to; '' when a name did not resolve or the certificate came from a file. */
  ip: string;
  /** TCP port; 0 when the certificate came from a file. */
  port: number;
  /** STARTTLS protocol spoken before the handshake, null for direct TLS. */
  starttls: string | null;
  /**
   * `example.com@192.0.2.7:443`; without a domain `192.0.2.7:443`, IPv6 in brackets; without an address
   * `example.com:443`. Unique per endpoint.
   */
  name: string;
}

/** An Endpoint with its name made from its parts. */
export function makeEndpoint(parts: Omit<Endpoint, 'name'>): Endpoint {
  const ip = parts.ip.includes(':') ? `[${parts.ip}]` : parts.ip;
  return { ...parts, name: `${placeOf({ ...parts, ip })}:${parts.port}` };
}

/** A place is a name at an address: `domain@ip`, or what of the two is known. */
export function placeOf(endpoint: Pick<Endpoint, 'domain' | 'ip'>): string {
  if (endpoint.domain === null) return endpoint.ip;
  return endpoint.ip === '' ? endpoint.domain : `${endpoint.domain}@${endpoint.ip}`;
}
