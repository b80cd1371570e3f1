import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { skip } from '../support/skip';
import { issue, makeCa } from './certificates';
import { installDebianTls, startDebian } from './debian-tls';

const LISTEN = '0A';
/** As the kernel writes them, in words of the machine's order (proc_net_tcp): 127.0.0.1, ::ffff:127.0.0.1, ::1. */
const LOOPBACK = ['0100007F', '0000000000000000FFFF00000100007F', '00000000000000000000000001000000'];

describe('servers of Debian that have no option for their address', function () {
  this.timeout(15 * 60_000);
  const names = ['gnutls', 'botan', 'nss'] as const;
  before(async function () {
    const missing = await installDebianTls(names);
    if (missing !== null) skip(this, missing.skipped);
  });

  for (const name of names) {
    it(`lets ${name} listen on loopback alone`, async () => {
      const ca = await makeCa('Lab Root');
      const server = await startDebian(name, { certs: [await issue(ca, { commonName: 'a.example' })] });
      try {
        const addresses = await listeningAt(server.port);
        assert.ok(addresses.length > 0);
        assert.deepEqual(
          addresses.filter(address => !LOOPBACK.includes(address)),
          [],
        );
      } finally {
        await server.close();
      }
    });
  }
});

async function listeningAt(port: number): Promise<string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map(name => readFile(`/proc/net/${name}`, 'utf8')));
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return tables.flatMap(table =>
    table.split('\n').flatMap(line => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [address = '', at] = local.split(':');
      return at === hex && state === LISTEN ? [address] : [];
    }),
  );
}
