import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issue, makeCa, type Ca, type CertificateOptions, type IssuedCertificate } from '../lab/certificates';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A date so many days from now, and an hour so that whole days don't tip during a test. */
export function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY_MS + 60 * 60 * 1000);
}

/** A CA whose file a tls-config node can name. */
export interface LabCa {
  file: string;
  issue(options: CertificateOptions): Promise<IssuedCertificate>;
}

export async function labCa(folder: string): Promise<LabCa> {
  const ca: Ca = await makeCa('CertDesk Lab CA');
  const file = join(folder, 'lab-ca.pem');
  await writeFile(file, ca.cert);
  return { file, issue: options => issue(ca, { keyType: 'ec256', notBefore: inDays(-30), ...options }) };
}
