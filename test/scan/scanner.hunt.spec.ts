import assert from 'node:assert/strict';
import { issue, makeCa } from '../lab/certificates';
import { der, scan } from './scan-support';
import { startScriptedTls } from './scripted-tls';

/** TLS_DH_anon_WITH_RC4_128_MD5, which the table calls worse than the other. */
const ANONYMOUS = 0x0018;
const RSA_AES128_SHA = 0x002f;
const ECDHE_RSA_AES128_GCM = 0xc02f;
/** None of them has a certificate (RFC 5246 A.5, RFC 4492 section 6). */
const ALL_ANONYMOUS = [0x17, 0x18, 0x19, 0x1a, 0x1b, 0x34, 0x3a, 0x46, 0x89, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019];

describe('the hunt for suites', () => {
  it('offers anonymous suites after all others, since no second hello is answered after one of them', async () => {
    const issued = await issue(await makeCa('Hunt Root'), { commonName: 'a.example', dns: ['a.example'] });
    const server = await startScriptedTls({
      versions: [0x0303],
      suites: [ECDHE_RSA_AES128_GCM, RSA_AES128_SHA, ANONYMOUS],
      chain: [der(issued.cert)],
    });
    try {
      await scan(server, { completeFor: { findings: [], weakFrom: 'insecure' }, connections: 1 });
      const hunts = server.hellos.filter(
        ({ version, suites }) => version === 0x0303 && suites.includes(0x34) && !suites.includes(RSA_AES128_SHA),
      );
      assert.ok(hunts.length > 0);
      const last = hunts.at(-1)?.suites ?? [];
      const firstAnonymous = last.findIndex(code => ALL_ANONYMOUS.includes(code));
      const rest = last.slice(firstAnonymous);
      assert.ok(firstAnonymous > 0 && ALL_ANONYMOUS.every(code => !last.includes(code) || rest.includes(code)));
      assert.deepEqual(
        [0x0001, 0x0002, 0x0004, 0x0005, 0x000a].filter(code => rest.includes(code)),
        [],
        'they have a certificate',
      );
    } finally {
      await server.close();
    }
  });
});
