import { outdatedProtocol } from './by-protocol';

/** RFC 8996: MUST NOT. */
export const tls10 = outdatedProtocol('tls10', 'TLSv1', 'it is forbidden by RFC 8996');
