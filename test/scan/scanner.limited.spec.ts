import assert from 'node:assert/strict';
import net, { type Socket } from 'node:net';
import type { CheckId } from '../../lib/model/checks';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { startScripted, startTls, type LabServer } from '../lab/tls-servers';
import { check, scan } from './scan-support';

/** What is true of the server behind the limit. */
const WEAK: CheckId[] = ['tls10', 'tls11', 'cbc-beast', 'no-forward-secrecy'];
/** It takes static RSA and CBC, so that these are there to be asked. */
const APPLICABLE: CheckId[] = ['robot', 'poodle-tls'];

describe('scanEndpoint against servers that end what goes over a limit', function () {
  this.timeout(120_000);
  let server: LabServer;
  let certificate: IssuedCertificate;
  before(async () => {
    certificate = await issue(await makeCa('Limited Root'), { commonName: 'a.example', dns: ['a.example'] });
    server = await startTls({ ...certificate, minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' });
  });
  after(() => server.close());

  /** Lets connections through while `isAllowed`, which gets how many there were and how many are open, this one included. */
  function limited(
    isAllowed: (all: number, open: number) => boolean,
    refuse: (client: Socket) => void,
  ): Promise<LabServer> {
    let all = 0;
    let open = 0;
    return startScripted(client => {
      all += 1;
      open += 1;
      client.on('close', () => (open -= 1));
      if (!isAllowed(all, open)) return void refuse(client.resume());
      const upstream = net.connect(server.port, server.host).on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
  }

  const close = (client: Socket): void => void client.end();
  const reset = (client: Socket): void => void client.resetAndDestroy();
  const internalError = (client: Socket): void => void client.end(Buffer.from('15030100020250', 'hex'));
  const closeNotify = (client: Socket): void => void client.end(Buffer.from('15030100020100', 'hex'));

  for (const profile of ['quick', 'full'] as const) {
    for (const connections of [1, 4]) {
      it(`calls nothing clean: ${profile}, ${connections} at once`, async () => {
        const all = [close, reset, closeNotify, internalError];
        for (const refuse of all.slice(0, profile === 'quick' ? 4 : 2)) {
          await Promise.all([
            ...[1, 2, 3].map(async limit =>
              expectNoAllClear(`${limit} open`, await limited((_, open) => open <= limit, refuse)),
            ),
            ...[1, 3, 6, 10].map(async limit =>
              expectNoAllClear(`${limit} in all`, await limited(all => all <= limit, refuse)),
            ),
          ]);
        }
      });

      async function expectNoAllClear(what: string, front: LabServer): Promise<void> {
        try {
          const report = await scan(front, { profile, connections, domain: 'a.example', timeoutMs: 1500 });
          for (const id of WEAK) {
            const { verdict, detail } = check(report, id);
            assert.ok(verdict === 'vulnerable' || verdict === 'cannot-tell', `${what}: ${id} ${verdict}: ${detail}`);
          }
          for (const id of APPLICABLE) assert.notEqual(check(report, id).verdict, 'not-applicable', `${what}: ${id}`);
        } finally {
          await front.close();
        }
      }
    }
  }
});
