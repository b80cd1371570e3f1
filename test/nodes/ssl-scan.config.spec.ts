import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { readScanConfig } from '../../nodes/runtime/scan-config';

describe('the settings of SSL Scan', () => {
  it('leave NODE_EXTRA_CA_CERTS to the scanner, which reads it itself', async () => {
    const RED = { nodes: { getNode: () => null } } as unknown as NodeAPI;
    const folder = await mkdtemp(join(tmpdir(), 'certdesk-extra-'));
    const before = process.env['NODE_EXTRA_CA_CERTS'];
    try {
      process.env['NODE_EXTRA_CA_CERTS'] = join(folder, 'extra.pem');
      await writeFile(process.env['NODE_EXTRA_CA_CERTS'], 'any certificates');
      assert.deepEqual(readScanConfig(RED, {}).scan.ca, []);
    } finally {
      if (before === undefined) delete process.env['NODE_EXTRA_CA_CERTS'];
      else process.env['NODE_EXTRA_CA_CERTS'] = before;
      await rm(folder, { recursive: true });
    }
  });
});
