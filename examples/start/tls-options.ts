import type { TlsOptions } from 'node:tls';

/** What a well-kept server speaks: TLS 1.3, and TLS 1.2 with forward secrecy and authenticated encryption only. */
export const HEALTHY_TLS: Readonly<TlsOptions> = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: true,
};

/**
 * A forgotten server: TLS 1.0 to 1.2, suites without forward secrecy, one without encryption, and one that is fine.
 * This is as weak as the OpenSSL inside Node.js 20 can be made; RC4, 3DES and SSLv3 are no longer in it.
 */
export const WEAK_TLS: Readonly<TlsOptions> = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.2',
  ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA:AES128-SHA:AES256-SHA:NULL-SHA256:NULL-SHA:@SECLEVEL=0',
  honorCipherOrder: true,
};
