/** What a URL scheme stands for: the port when none is given, and what is spoken before the handshake. */
export interface Scheme {
  port: number;
  starttls: string | null;
}

/** Ports as registered at IANA; the names with an `s` speak TLS from the first byte (RFC 8314 section 7 for mail). */
export const SCHEMES: Readonly<Record<string, Scheme>> = {
  https: { port: 443, starttls: null },
  smtp: { port: 25, starttls: 'smtp' },
  smtps: { port: 465, starttls: null },
  imap: { port: 143, starttls: 'imap' },
  imaps: { port: 993, starttls: null },
  pop3: { port: 110, starttls: 'pop3' },
  pop3s: { port: 995, starttls: null },
  ftp: { port: 21, starttls: 'ftp' },
  ftps: { port: 990, starttls: null },
  ldap: { port: 389, starttls: 'ldap' },
  ldaps: { port: 636, starttls: null },
  xmpp: { port: 5222, starttls: 'xmpp' },
  xmpps: { port: 5223, starttls: null },
  postgres: { port: 5432, starttls: 'postgres' },
  mysql: { port: 3306, starttls: 'mysql' },
  sieve: { port: 4190, starttls: 'sieve' },
  nntp: { port: 119, starttls: 'nntp' },
  nntps: { port: 563, starttls: null },
};
