import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { installOldServers, type OldServer } from '../../test/lab/old-servers';
import { dhParameters, issueMany } from './certificates';

/** The weakest server that npm has. */
const VERSION = '0.12.0';
const ROOT = join(__dirname, '..', '..', '..');
const NAME = 'weak.bench.example';

/** Suites that it offers, as written in the lab's table: SSLv2 7, SSLv3 to TLS 1.1 40 each, TLS 1.2 57. */
export const WEAK_SERVER_SUITES = 7 + 3 * 40 + 57;

/** Node.js 0.12.0 with everything on: SSLv2 to TLS 1.2, export, anonymous, NULL, RC4, DES, Diffie-Hellman of 512 bits. */
export async function startWeakServer(): Promise<OldServer | { skipped: string }> {
  // the lab looks for its files beside its own compiled one
  const folder = ['test', 'lab', 'old-servers'];
  cpSync(join(ROOT, ...folder), join(ROOT, 'dist', ...folder), { recursive: true });
  const installed = await installOldServers('small');
  if ('skipped' in installed) return installed;
  const [server] = issueMany(1, () => NAME).servers;
  return installed.start(VERSION, {
    cert: server?.cert ?? '',
    key: server?.key ?? '',
    ciphers: 'ALL:COMPLEMENTOFALL:eNULL:aNULL',
    dhparam: dhParameters(512),
    flags: ['--enable-ssl2', '--enable-ssl3'],
  });
}
