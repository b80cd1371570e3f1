import { createHash } from 'node:crypto';
import { TAG, writeDer } from './der-parts';
import type { CertificateFields } from './fields';

/** AlgorithmIdentifier of SHA-1, which every responder knows (RFC 5019 section 2.1.1). */
const SHA1 = Buffer.from('300906052b0e03021a0500', 'hex');

/** An OCSPRequest for one certificate (RFC 6960 section 4.1), without nonce: most answers are made beforehand. */
export function writeOcspRequest(leaf: CertificateFields, issuer: CertificateFields): Buffer {
  const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
  const serial = leaf.serialNumber;
  const certId = writeDer(
    TAG.sequence,
    SHA1,
    writeDer(TAG.octetString, sha1(leaf.issuer)),
    writeDer(TAG.octetString, sha1(issuer.publicKey)),
    writeDer(TAG.integer, (serial[0] ?? 0) & 0x80 ? Buffer.of(0) : Buffer.of(), serial),
  );
  const requestList = writeDer(TAG.sequence, writeDer(TAG.sequence, certId));
  return writeDer(TAG.sequence, writeDer(TAG.sequence, requestList));
}
