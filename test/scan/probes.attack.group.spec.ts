import assert from 'node:assert/strict';
import { noPostQuantum } from '../../lib/scan/probes/no-post-quantum';
import { uint, vector } from '../../lib/scan/wire/bytes';
import { message } from '../../lib/scan/wire/messages';
import { tlsRecord } from '../../lib/scan/wire/record-layer';
import { startScripted, type LabServer } from '../lab/tls-servers';
import { judge } from './handshake-support';

const SERVER_HELLO = 2;
/** supported_versions with TLS 1.3 alone. */
const TLS13_ALONE = Buffer.from('002b0003020304', 'hex');
/** RFC 8446 section 4.1.3. */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/** A HelloRetryRequest with TLS_AES_128_GCM_SHA256 that asks for a group, or names none. */
function helloRetryRequest(group: number | null): Buffer {
  const keyShare = group === null ? [] : [Buffer.from('00330002', 'hex'), uint(group, 2)];
  const extensions = vector(2, Buffer.from('002b00020304', 'hex'), ...keyShare);
  const body = [uint(0x0303, 2), RETRY_RANDOM, Buffer.from([0]), uint(0x1301, 2), Buffer.from([0]), extensions];
  return tlsRecord('TLSv1.2', 22, message(SERVER_HELLO, Buffer.concat(body)));
}

describe('no-post-quantum', function () {
  this.timeout(30_000);
  const open: LabServer[] = [];
  afterEach(() => Promise.all(open.splice(0).map(server => server.close())));

  for (const [what, group, verdict, evidence] of [
    ['asks for X25519MLKEM768', 0x11ec, 'ok', /agrees on keys by ML-KEM/],
    ['asks for X25519, which was not offered', 0x001d, 'vulnerable', /another group \(29\)/],
    ['names no group', null, 'cannot-tell', /without naming a group/],
  ] as const) {
    it(`is ${verdict} for a server that ${what}`, async () => {
      const server = await startScripted(socket => {
        socket.once('data', hello => {
          if (hello.includes(TLS13_ALONE)) socket.write(helloRetryRequest(group));
          else socket.end(Buffer.from([21, 3, 1, 0, 2, 2, 70]));
        });
      });
      open.push(server);
      const judged = await judge(server, noPostQuantum);
      assert.equal(judged.verdict, verdict, judged.detail);
      assert.match(judged.detail, evidence);
    });
  }
});
