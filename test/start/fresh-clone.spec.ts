import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Start } from './start';

const ROOT = join(__dirname, '..', '..');

/** What a newcomer does: clone, `npm start`, twice. Takes minutes without a warm package cache: `npm run test:long`. */
if (process.env['CERTDESK_LONG'] === '1') {
  describe('npm start in a fresh clone', function () {
    this.timeout(600_000);
    it('installs, compiles and opens two tickets; the second start needs neither', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'certdesk-clone-'));
      let started: Start | null = null;
      try {
        await promisify(execFile)('git', ['clone', '-q', ROOT, folder]);
        for (const isFirst of [true, false]) {
          const before = Date.now();
          started = Start.run(folder, { CERTDESK_USER_DIR: join(folder, '.certdesk') });
          await started.until(/^2 tickets:$/m, 500_000);
          console.log(`      ${isFirst ? 'first' : 'second'} start: ${((Date.now() - before) / 1000).toFixed(1)} s`);
          assert.equal(/npm ci/.test(started.output), isFirst);
          assert.equal(/compiling/.test(started.output), isFirst);
          await started.ctrlC();
        }
      } finally {
        await started?.ctrlC();
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}
