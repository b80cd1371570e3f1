import assert from 'node:assert/strict';
import { startOdd } from '../lab/tls-servers';
import { scan } from './scan-support';

describe('scanEndpoint against a port that takes connections and says nothing', () => {
  for (const connections of [1, 2, 4, 16]) {
    it(`gives up after a second round of hellos: ${connections} connections at once`, async () => {
      const server = await startOdd('silent');
      try {
        const report = await scan(server, { timeoutMs: 100, connections });
        assert.equal(report.status, 'unreachable');
        assert.deepEqual(report.stages.handshake, { status: 'failed', reason: 'TIMEOUT' });
        assert.equal(report.connections, 1 + Math.min(3, connections));
      } finally {
        await server.close();
      }
    });
  }
});
