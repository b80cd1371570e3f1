import { outdatedProtocol } from './by-protocol';

/** CVE-2016-0800; also CVE-2015-3197: SSLv2 that lists no kind may still take all of them. */
export const drown = outdatedProtocol(
  'drown',
  'SSLv2',
  'with it TLS connections to every server that has the same RSA key can be decrypted (DROWN)',
);
