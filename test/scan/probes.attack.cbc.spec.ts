import assert from 'node:assert/strict';
import { paddingOracle20162107 } from '../../lib/scan/probes/padding-oracle-2016-2107';
import { poodleTls } from '../../lib/scan/probes/poodle-tls';
import type { Flaws } from '../lab/flawed-tls';
import { startHealthy, startTls, type LabServer } from '../lab/tls-servers';
import { attackLab, judge } from './handshake-support';
import { startScriptedTls } from './scripted-tls';

describe('checks of CBC records', function () {
  this.timeout(60_000);
  const lab = attackLab('CBC Root');
  const { up } = lab;
  const flawed = (padding: Flaws['padding']): Promise<LabServer> => lab.flawed({ padding });
  const withCbc = (ciphers: string, maxVersion: 'TLSv1' | 'TLSv1.2' = 'TLSv1.2'): Promise<LabServer> =>
    up(startTls({ ...lab.rsa, minVersion: 'TLSv1', maxVersion, ciphers: `${ciphers}:@SECLEVEL=0`, dhparam: 'auto' }));

  describe('padding-oracle-2016-2107', () => {
    it('finds a server that calls a record of nothing but padding too long, in one connection', async () => {
      const { verdict, detail, connections } = await judge(await flawed('record-overflow'), paddingOracle20162107);
      assert.equal(verdict, 'vulnerable');
      assert.match(detail, /alert record_overflow with TLS_RSA_WITH_AES_128_CBC_SHA in TLSv1\.2/);
      assert.equal(connections, 1);
    });

    for (const padding of ['checked', 'unchecked', 'zombie'] as const) {
      it(`clears a server that is not open to it, padding ${padding}, in one connection`, async () => {
        const { verdict, connections } = await judge(await flawed(padding), paddingOracle20162107);
        assert.equal(verdict, 'ok');
        assert.equal(connections, 1);
      });
    }

    for (const maxVersion of ['TLSv1', 'TLSv1.2'] as const) {
      it(`clears node:tls with AES and CBC in ${maxVersion}`, async () => {
        const { verdict, detail, connections } = await judge(
          await withCbc('AES128-SHA', maxVersion),
          paddingOracle20162107,
        );
        assert.equal(verdict, 'ok');
        assert.match(detail, /alert bad_record_mac/);
        assert.equal(connections, 1);
      });
    }

    it('spares a server that agrees on keys over X25519', async () => {
      const server = await withCbc('ECDHE-RSA-AES256-SHA:AES128-SHA');
      const { verdict, detail, connections } = await judge(server, paddingOracle20162107);
      assert.equal(verdict, 'ok');
      assert.match(detail, /X25519/);
      assert.equal(connections, 1);
    });

    it('tries a server that has ECDHE over an older curve', async () => {
      const server = await up(
        startTls({
          ...lab.rsa,
          maxVersion: 'TLSv1.2',
          ciphers: 'ECDHE-RSA-AES256-SHA:@SECLEVEL=0',
          ecdhCurve: 'P-256',
        }),
      );
      const { verdict, detail } = await judge(server, paddingOracle20162107);
      assert.equal(verdict, 'ok');
      assert.match(detail, /alert bad_record_mac with TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA/);
    });

    it('makes no connection to a server that speaks TLS 1.3', async () => {
      const server = await up(startTls({ ...lab.rsa, ciphers: 'TLS_AES_128_GCM_SHA256:AES128-SHA:@SECLEVEL=0' }));
      const { verdict, detail, connections } = await judge(server, paddingOracle20162107);
      assert.equal(verdict, 'ok');
      assert.match(detail, /TLS 1\.3/);
      assert.equal(connections, 0);
    });

    it('makes no connection to a server that takes what only newer ones have', async () => {
      const server = await withCbc('ECDHE-RSA-CHACHA20-POLY1305:AES128-SHA');
      const { verdict, detail, connections } = await judge(server, paddingOracle20162107);
      assert.equal(verdict, 'ok');
      assert.match(detail, /TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256/);
      assert.equal(connections, 0);
    });

    it('does not apply without CBC, and then makes no connection', async () => {
      const { verdict, connections } = await judge(await up(startHealthy(lab.rsa)), paddingOracle20162107);
      assert.equal(verdict, 'not-applicable');
      assert.equal(connections, 0);
    });

    it('does not apply where CBC goes with other ciphers alone', async () => {
      const { verdict } = await judge(await withCbc('CAMELLIA128-SHA'), paddingOracle20162107);
      assert.equal(verdict, 'not-applicable');
    });

    it('cannot tell where no handshake comes to its end', async () => {
      const server = await up(
        startTls({ ...lab.rsa, ciphers: 'AES128-SHA:@SECLEVEL=0', requestCert: true, maxVersion: 'TLSv1.2' }),
      );
      const { verdict, detail } = await judge(server, paddingOracle20162107);
      assert.equal(verdict, 'cannot-tell');
      assert.match(detail, /the handshake (ended with alert|was closed)/);
    });
  });

  for (const probe of [paddingOracle20162107, poodleTls]) {
    describe(`${probe.id} of a server that says nothing about records`, () => {
      it('clears it where it takes a right one', async () => {
        const { verdict, detail } = await judge(await flawed('closing'), probe);
        assert.equal(verdict, 'ok', detail);
        assert.match(detail, /: closed\.$/);
      });

      it('cannot tell where it ends every connection after the handshake', async () => {
        const { verdict, detail } = await judge(await lab.flawed({ closes: 'after-handshake' }), probe);
        assert.equal(verdict, 'cannot-tell', detail);
        assert.match(detail, /by closed, but a right one is answered by closed/);
      });

      it('cannot tell where it ends every handshake', async () => {
        const { verdict, detail } = await judge(await lab.flawed({ closes: 'on-finished' }), probe);
        assert.equal(verdict, 'cannot-tell', detail);
        assert.match(detail, /the handshake was closed without an alert/);
      });

      it('says so where it wants a certificate of the client', async () => {
        const { verdict, detail } = await judge(await lab.flawed({ wantsCertificate: true }), probe);
        assert.equal(verdict, 'cannot-tell', detail);
        assert.match(detail, /alert handshake_failure after it asked for a certificate of the client/);
      });

      it('cannot tell where its suites with CBC can not be spoken here', async () => {
        const { verdict, detail } = await judge(
          await up(startScriptedTls({ versions: [0x0303], suites: [probe === poodleTls ? 0x0096 : 0xc004] })),
          probe,
        );
        assert.equal(verdict, 'cannot-tell', detail);
        assert.match(detail, /^It takes TLS_.*, in which no record can be tried here/);
      });
    });
  }

  describe('poodle-tls', () => {
    it('finds padding that is not checked', async () => {
      const { verdict, detail } = await judge(await flawed('unchecked'), poodleTls);
      assert.equal(verdict, 'vulnerable');
      assert.match(detail, /CVE-2014-8730/);
    });

    it('finds Zombie POODLE', async () => {
      const { verdict, detail } = await judge(await flawed('zombie'), poodleTls);
      assert.equal(verdict, 'vulnerable');
      assert.match(detail, /Zombie POODLE/);
      assert.match(detail, /closed to wrong padding, alert bad_record_mac to a wrong MAC/);
    });

    it('finds alerts that tell wrong padding from a wrong MAC', async () => {
      const { verdict, detail } = await judge(await flawed('distinct-alert'), poodleTls);
      assert.equal(verdict, 'vulnerable');
      assert.match(detail, /alert decryption_failed to wrong padding, alert bad_record_mac to a wrong MAC/);
      assert.match(detail, /GOLDENDOODLE/);
    });

    for (const padding of ['checked', 'record-overflow'] as const) {
      it(`clears a server that is not open to it, padding ${padding}, in two connections`, async () => {
        const { verdict, connections } = await judge(await flawed(padding), poodleTls);
        assert.equal(verdict, 'ok');
        assert.equal(connections, 2);
      });
    }

    for (const ciphers of ['AES128-SHA', 'ECDHE-RSA-AES256-SHA384', 'CAMELLIA256-SHA', 'DHE-RSA-AES128-SHA256']) {
      it(`clears node:tls with ${ciphers}`, async () => {
        const { verdict, detail } = await judge(await withCbc(ciphers), poodleTls);
        assert.equal(verdict, 'ok');
        assert.match(detail, /alike .*: alert bad_record_mac/);
      });
    }

    it('does not apply without CBC, and then makes no connection', async () => {
      const { verdict, connections } = await judge(await up(startHealthy(lab.rsa)), poodleTls);
      assert.equal(verdict, 'not-applicable');
      assert.equal(connections, 0);
    });
  });
});
