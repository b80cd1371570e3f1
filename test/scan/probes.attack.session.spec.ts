import assert from 'node:assert/strict';
import { constants, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import tls from 'node:tls';
import type { AddressInfo } from 'node:net';
import { clientRenegotiation } from '../../lib/scan/probes/client-renegotiation';
import { ticketbleed } from '../../lib/scan/probes/ticketbleed';
import type { Flaws } from '../lab/flawed-tls';
import { startHealthy, startTls } from '../lab/tls-servers';
import { attackLab, judge } from './handshake-support';
import { startScriptedTls } from './scripted-tls';

describe('checks of what comes after a handshake', function () {
  this.timeout(60_000);
  const lab = attackLab('Session Root');
  const { up, flawed } = lab;

  describe('client-renegotiation', () => {
    const FLAWS: readonly [string, Flaws, string, RegExp][] = [
      ['accepts it', { renegotiation: 'accepted' }, 'vulnerable', /in TLSv1\.2/],
      [
        'accepts it without RFC 5746',
        { renegotiation: 'accepted', noRenegotiationInfo: true },
        'vulnerable',
        /TLSv1\.2/,
      ],
      ['answers no_renegotiation', { renegotiation: 'refused' }, 'ok', /alert no_renegotiation/],
      ['ends the connection', { renegotiation: 'closed' }, 'ok', /alert handshake_failure/],
      ['takes no notice', { renegotiation: 'ignored' }, 'ok', /no notice/],
    ];
    for (const [what, flaws, expected, evidence] of FLAWS) {
      it(`says ${expected} of a server that ${what}, in one connection`, async () => {
        const { verdict, detail, connections } = await judge(await flawed(flaws), clientRenegotiation);
        assert.equal(verdict, expected);
        assert.match(detail, evidence);
        assert.equal(connections, 1);
      });
    }

    it('clears a server that closes on it without an alert, and leaves other connections open', async () => {
      const { verdict, detail, connections } = await judge(
        await flawed({ renegotiation: 'ended' }),
        clientRenegotiation,
      );
      assert.equal(verdict, 'ok', detail);
      assert.match(detail, /leaves others open: closed/);
      assert.equal(connections, 2);
    });

    it('cannot tell of a server that closes every connection after the handshake', async () => {
      const { verdict, detail } = await judge(await flawed({ closes: 'after-handshake' }), clientRenegotiation);
      assert.equal(verdict, 'cannot-tell', detail);
      assert.match(detail, /\(closed\), and others too: closed/);
    });

    it('finds node:tls, which takes it, with suites of today and either kind of key', async () => {
      for (const certificate of [lab.rsa, lab.ec]) {
        const { verdict, connections } = await judge(await up(startHealthy(certificate)), clientRenegotiation);
        assert.equal(verdict, 'vulnerable');
        assert.equal(connections, 1);
      }
    });

    it('clears node:tls where it is turned off', async () => {
      const server = await up(
        startTls({ ...lab.rsa, maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION }),
      );
      const { verdict, detail } = await judge(server, clientRenegotiation);
      assert.equal(verdict, 'ok');
      assert.match(detail, /alert no_renegotiation/);
    });

    it('does not apply to TLS 1.3 alone', async () => {
      const { verdict, connections } = await judge(
        await up(startTls({ ...lab.rsa, minVersion: 'TLSv1.3' })),
        clientRenegotiation,
      );
      assert.equal(verdict, 'not-applicable');
      assert.equal(connections, 0);
    });

    it('cannot tell where no handshake comes to its end', async () => {
      const server = await up(startTls({ ...lab.rsa, maxVersion: 'TLSv1.2', requestCert: true }));
      assert.equal((await judge(server, clientRenegotiation)).verdict, 'cannot-tell');
      const old = await up(startScriptedTls({ versions: [0x0300], suites: [0x002f] }));
      const { verdict, detail } = await judge(old, clientRenegotiation);
      assert.equal(verdict, 'cannot-tell');
      assert.match(detail, /SSLv3 alone/);
    });
  });

  describe('ticketbleed', () => {
    it('finds memory behind a short session id', async () => {
      const { verdict, detail, connections } = await judge(await flawed({ ticketbleed: 'bleeding' }), ticketbleed);
      assert.equal(verdict, 'vulnerable');
      assert.match(detail, /16 bytes with 16 more/);
      assert.equal(connections, 2);
    });

    it('clears a server that echoes what was sent', async () => {
      const { verdict, detail, connections } = await judge(await flawed({ ticketbleed: 'exact' }), ticketbleed);
      assert.equal(verdict, 'ok');
      assert.match(detail, /under the id that was sent/);
      assert.equal(connections, 2);
    });

    it('does not apply where no ticket is given', async () => {
      const { verdict, connections } = await judge(await flawed({ ticketbleed: 'no-tickets' }), ticketbleed);
      assert.equal(verdict, 'not-applicable');
      assert.equal(connections, 1);
    });

    it('clears node:tls, with suites of today and either kind of key', async () => {
      for (const certificate of [lab.rsa, lab.ec]) {
        const { verdict, detail } = await judge(await up(startHealthy(certificate)), ticketbleed);
        assert.equal(verdict, 'ok');
        assert.match(detail, /under the id that was sent/);
      }
    });

    it('cannot tell of a server that forgot what the ticket was for', async () => {
      const server = tls.createServer({ ...lab.rsa, maxVersion: 'TLSv1.2' });
      server.on('tlsClientError', () => {});
      server.on('secureConnection', socket => {
        socket.on('error', () => {});
        server.setTicketKeys(randomBytes(48));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { verdict, detail } = await judge({ host: '127.0.0.1', port }, ticketbleed);
      server.close();
      await once(server, 'close');
      assert.equal(verdict, 'cannot-tell');
      assert.match(detail, /gave a ticket .* did not take the session up again/);
    });

    it('cannot tell of a server that takes no session up, whatever its id', async () => {
      const { verdict, detail, connections } = await judge(await flawed({ ticketbleed: 'forgetful' }), ticketbleed);
      assert.equal(verdict, 'cannot-tell', detail);
      assert.match(detail, /it began a new one each time/);
      assert.equal(connections, 3);
    });

    it('clears a server that takes sessions up under full ids alone', async () => {
      const { verdict, detail, connections } = await judge(await flawed({ ticketbleed: 'full-id' }), ticketbleed);
      assert.equal(verdict, 'ok', detail);
      assert.match(detail, /only under a full one/);
      assert.equal(connections, 4);
    });

    it('does not apply to TLS 1.3 alone', async () => {
      const { verdict, connections } = await judge(
        await up(startTls({ ...lab.rsa, minVersion: 'TLSv1.3' })),
        ticketbleed,
      );
      assert.equal(verdict, 'not-applicable');
      assert.equal(connections, 0);
    });
  });
});
