/** The demo's way to make certificates, for tests as well. */
export { issue, makeCa } from '../../examples/start/certificates';
export type { Ca, CertificateOptions, IssuedCertificate } from '../../examples/start/certificates';
