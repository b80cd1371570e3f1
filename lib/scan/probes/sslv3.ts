import { outdatedProtocol } from './by-protocol';

/** RFC 7568: MUST NOT. */
export const sslv3 = outdatedProtocol('sslv3', 'SSLv3', 'it is broken and forbidden by RFC 7568');
