import { outdatedProtocol } from './by-protocol';

/** RFC 6176: MUST NOT. */
export const sslv2 = outdatedProtocol('sslv2', 'SSLv2', 'it is broken and forbidden by RFC 6176');
