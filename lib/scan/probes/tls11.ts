import { outdatedProtocol } from './by-protocol';

/** RFC 8996: MUST NOT. */
export const tls11 = outdatedProtocol('tls11', 'TLSv1.1', 'it is forbidden by RFC 8996');
