import type { Starttls } from './starttls';

/** The protocols by the names that targets use; a new one is one file and one line here. */
const PROTOCOLS: Readonly<Record<string, Starttls>> = {};

/** What `name` (`smtp`, …) says before TLS; undefined for a protocol that is not here. */
export function findStarttls(name: string): Starttls | undefined {
  return PROTOCOLS[name];
}
