import type { Protocol } from '../../model/report';

/** Versions as they stand in hellos (RFC 6101, 2246, 4346, 5246, 8446). SSLv2 has its own wire format. */
export const VERSION_CODES = {
  SSLv3: 0x0300,
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
} as const satisfies Partial<Record<Protocol, number>>;

/** SSLv3 to TLS 1.3. */
export type TlsProtocol = keyof typeof VERSION_CODES;

/** The protocol of a version number; undefined for one that does not exist. */
export function protocolOf(version: number): TlsProtocol | undefined {
  return (Object.keys(VERSION_CODES) as TlsProtocol[]).find(protocol => VERSION_CODES[protocol] === version);
}

/** RFC 8446 section 6 and what older versions had. */
const ALERTS: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  116: 'certificate_required',
  120: 'no_application_protocol',
};

/** `handshake_failure`; `alert_200` for one that nobody named. */
export function alertName(description: number): string {
  return ALERTS[description] ?? `alert_${description}`;
}
