import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * A browser of the Chromium family: the one CHROMIUM names, one that is there, or Debian's, installed where that can
 * be done. On Debian as root a failing installation is an error, not a skip.
 */
export async function findChromium(): Promise<string | { skipped: string }> {
  const found = [process.env['CHROMIUM'], ...PLACES].find(path => path !== undefined && existsSync(path));
  if (found !== undefined) return found;
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    return { skipped: 'no Chromium here, and it can be installed on Debian by root only (CHROMIUM names another one)' };
  }
  const apt = (...args: string[]): Promise<unknown> =>
    promisify(execFile)('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      timeout: INSTALL_TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await apt('update');
  await apt('install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core');
  return '/usr/bin/chromium';
}
