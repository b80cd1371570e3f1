import { ftp } from './ftp';
import { imap } from './imap';
import { ldap } from './ldap';
import { mysql } from './mysql';
import { nntp } from './nntp';
import { pop3 } from './pop3';
import { postgres } from './postgres';
import { sieve } from './sieve';
import { smtp } from './smtp';
import type { Starttls } from './starttls';
import { xmpp } from './xmpp';

/** The protocols by the names that targets use; a new one is one file and one line here. */
const PROTOCOLS: ReadonlyMap<string, Starttls> = new Map(
  Object.entries({ smtp, imap, pop3, ftp, ldap, xmpp, postgres, mysql, sieve, nntp }),
);

/** What `name` (`smtp`, …) says before TLS; undefined for a protocol that is not here. */
export function findStarttls(name: string): Starttls | undefined {
  return PROTOCOLS.get(name);
}
