import { generatePrimeSync, getDiffieHellman } from 'node:crypto';
import * as asn1js from 'asn1js';

/** RFC 2409 and RFC 3526 have known safe primes; one of 512 bits is found in a moment. */
const KNOWN = { 768: 'modp1', 1024: 'modp2', 2048: 'modp14' } as const;

/** PEM of Diffie-Hellman parameters (PKCS #3: SEQUENCE of prime and generator), which every OpenSSL reads. */
export function dhparam(bits: 512 | keyof typeof KNOWN): string {
  const prime =
    bits === 512
      ? Buffer.from(generatePrimeSync(512, { safe: true, add: 24n, rem: 23n }))
      : getDiffieHellman(KNOWN[bits]).getPrime();
  const positive = Buffer.concat([Buffer.of(0), prime]);
  const parameters = new asn1js.Sequence({
    value: [new asn1js.Integer({ valueHex: Uint8Array.from(positive).buffer }), new asn1js.Integer({ value: 2 })],
  });
  const base64 = Buffer.from(parameters.toBER()).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN DH PARAMETERS-----\n${lines.join('\n')}\n-----END DH PARAMETERS-----\n`;
}
