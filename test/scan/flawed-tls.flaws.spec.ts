import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { startFlawedTls, type FlawedTls, type Flaws } from '../lab/flawed-tls';
import { RawClient, type Event, type RawHello } from '../lab/flawed-tls/raw-client';

const MEMORY = 'the memory of somebody else; ';
const BAD_RECORD_MAC = 20;
/** A server on loopback that answers at all has answered long before. */
const MOMENT_MS = 150;

/** An alert as it comes. */
function alert(description: number, level = 2): Event {
  return { type: 21, content: Buffer.from([level, description]) };
}

describe('a flaw of the flawed TLS server', () => {
  const open: { close(): unknown }[] = [];
  let issued: IssuedCertificate;
  before(async () => {
    issued = await issue(await makeCa('Flawed Root'), { commonName: 'a.example', dns: ['a.example'] });
  });
  afterEach(() => Promise.all(open.splice(0).map(one => one.close())));

  async function start(flaws: Flaws): Promise<FlawedTls> {
    const server = await startFlawedTls({ ...issued, flaws });
    open.push(server);
    return server;
  }

  async function client(server: FlawedTls): Promise<RawClient> {
    const raw = await RawClient.connect(server);
    open.push({ close: () => raw.socket.destroy() });
    return raw;
  }

  async function opened(flaws: Flaws, hello: Partial<RawHello> = {}): Promise<RawClient> {
    const raw = await client(await start(flaws));
    await raw.handshake(hello);
    return raw;
  }

  describe('robot', () => {
    const WRONG: Record<string, (padded: Buffer) => void> = {
      'a bad start': padded => void padded.writeUInt16BE(0x4117),
      'a zero in the padding': padded => void (padded[4] = 0),
      // the secret's own bytes are random, and one in six secrets has a zero
      'no zero': padded => padded.forEach((byte, at) => at > 0 && byte === 0 && (padded[at] = 0xa5)),
      'a zero too late': padded => {
        padded[padded.length - 49] = 0xa5;
        padded[padded.length - 40] = 0;
      },
    };

    /** A handshake whose premaster secret is padded wrongly, and what the server does then. */
    async function ask(flaws: Flaws, spoil: (padded: Buffer) => void): Promise<Event | null> {
      const raw = await client(await start(flaws));
      raw.hello();
      await raw.flight();
      const padded = raw.paddedPremaster();
      spoil(padded);
      raw.keyExchange(padded);
      raw.changeCipherSpec();
      raw.finished();
      return raw.nextWithin(MOMENT_MS);
    }

    for (const [what, spoil] of Object.entries(WRONG)) {
      it(`shows ${what} by its own reaction`, async () => {
        assert.deepEqual(await ask({}, spoil), alert(BAD_RECORD_MAC));
        assert.deepEqual(await ask({ robot: 'alert' }, spoil), alert(40));
        assert.deepEqual(await ask({ robot: 'alert', robotAlert: 51 }, spoil), alert(51));
        assert.equal(await ask({ robot: 'close' }, spoil), 'end');
        assert.equal(await ask({ robot: 'reset' }, spoil), 'reset');
        assert.equal(await ask({ robot: 'timeout' }, spoil), null);
        assert.deepEqual(await ask({ robot: 'weak' }, spoil), alert(what === 'no zero' ? 40 : BAD_RECORD_MAC));
      });
    }

    it('lets a premaster secret that is padded well through', async () => {
      for (const robot of ['none', 'alert', 'close', 'reset', 'timeout', 'weak'] as const) {
        const raw = await opened({ robot });
        raw.send(23, Buffer.from('alive'));
        assert.deepEqual(await raw.next(), { type: 23, content: Buffer.from('alive') });
      }
    });

    it('does not show a premaster secret of another version', async () => {
      const other = (padded: Buffer): void => void padded.writeUInt16BE(0x0202, padded.length - 48);
      assert.deepEqual(await ask({ robot: 'alert' }, other), alert(BAD_RECORD_MAC));
    });
  });

  describe('padding', () => {
    /** 4 bytes of data, 20 of MAC, 8 of padding make two blocks. */
    const DATA = Buffer.from('data');
    const spoilPadding = (plain: Buffer): void => void (plain[26] = 0xee);
    const spoilMac = (plain: Buffer): void => void (plain[10] = (plain[10] ?? 0) ^ 1);
    const onlyPadding = (plain: Buffer): void => void plain.fill(31);

    async function ask(padding: Flaws['padding'], spoil: (plain: Buffer) => void): Promise<Event> {
      const raw = await opened(padding === undefined ? {} : { padding });
      raw.send(23, DATA, spoil);
      return raw.next();
    }

    it('is checked as it should be without a flaw', async () => {
      for (const spoil of [spoilPadding, spoilMac, onlyPadding]) {
        assert.deepEqual(await ask(undefined, spoil), alert(BAD_RECORD_MAC));
      }
    });

    it('unchecked takes any padding of the right length, and no wrong MAC', async () => {
      assert.deepEqual(await ask('unchecked', spoilPadding), { type: 23, content: DATA });
      assert.deepEqual(await ask('unchecked', spoilMac), alert(BAD_RECORD_MAC));
    });

    it('distinct-alert tells padding from MAC', async () => {
      assert.deepEqual(await ask('distinct-alert', spoilPadding), alert(21));
      assert.deepEqual(await ask('distinct-alert', spoilMac), alert(BAD_RECORD_MAC));
    });

    it('zombie closes where the MAC is valid, and sends an alert where it is not', async () => {
      const both = (plain: Buffer): void => [spoilMac, spoilPadding].forEach(spoil => spoil(plain));
      assert.equal(await ask('zombie', spoilPadding), 'end');
      assert.deepEqual(await ask('zombie', both), alert(BAD_RECORD_MAC));
    });

    it('record-overflow tells a record of padding only', async () => {
      assert.deepEqual(await ask('record-overflow', onlyPadding), alert(22));
      assert.deepEqual(await ask('record-overflow', spoilPadding), alert(BAD_RECORD_MAC));
    });
  });

  describe('ticketbleed', () => {
    /** The session id in the ServerHello of a session taken up again by its ticket. */
    async function echo(ticketbleed: Flaws['ticketbleed'], sessionId: Buffer): Promise<Buffer | undefined> {
      const server = await start(ticketbleed === undefined ? {} : { ticketbleed });
      const first = await client(server);
      const ticket = (await first.handshake({ sessionTicket: Buffer.alloc(0) })).get(4)?.subarray(10);
      if (ticket === undefined) return undefined;
      const second = await client(server);
      second.resume(first);
      second.hello({ sessionTicket: ticket, sessionId });
      const messages = await second.flight();
      assert.ok(!messages.has(11), 'no certificate: the session was taken up');
      second.changeCipherSpec();
      second.finished();
      second.send(23, Buffer.from('alive'));
      assert.deepEqual(await second.next(), { type: 23, content: Buffer.from('alive') });
      const hello = messages.get(2) ?? Buffer.alloc(0);
      return hello.subarray(39, 39 + (hello[38] ?? 0));
    }

    it('echoes exactly what came without a flaw', async () => {
      assert.deepEqual(await echo(undefined, Buffer.from('short')), Buffer.from('short'));
    });

    it('fills 32 bytes up with memory', async () => {
      assert.equal((await echo('bleeding', Buffer.from('short')))?.toString(), 'short' + MEMORY.slice(0, 27));
      assert.deepEqual(await echo('bleeding', Buffer.alloc(0)), Buffer.alloc(0));
    });

    it('has no tickets where there are none', async () => {
      assert.equal(await echo('no-tickets', Buffer.from('short')), undefined);
    });
  });

  describe('compression', () => {
    it('is taken where it is offered', async () => {
      for (const [flaws, chosen] of [
        [{}, 0],
        [{ compression: true }, 1],
      ] as const) {
        const raw = await client(await start(flaws));
        raw.hello();
        const hello = (await raw.flight()).get(2) ?? Buffer.alloc(0);
        assert.equal(hello[38], 0, 'no session id');
        assert.equal(hello[41], chosen);
      }
    });
  });

  describe('renegotiation', () => {
    /** node:tls begins anew; what comes of it. */
    async function renegotiate(flaws: Flaws): Promise<string> {
      const server = await start(flaws);
      const socket = tls.connect({
        ...{ host: server.host, port: server.port, servername: 'a.example', ca: issued.ca, maxVersion: 'TLSv1.2' },
        ciphers: 'AES128-SHA:@SECLEVEL=0',
        secureOptions: 4, // SSL_OP_LEGACY_SERVER_CONNECT
      });
      open.push({ close: () => socket.destroy() });
      await once(socket, 'secureConnect');
      const failed = new Promise<string>(resolve => {
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
      const renegotiated = new Promise<string>(resolve => {
        socket.renegotiate({}, error => resolve(error === null ? `${server.handshakes.full} handshakes` : 'failed'));
      });
      return Promise.race([failed, renegotiated]);
    }

    it('is refused with a warning without a flaw, and the connection goes on', async () => {
      assert.equal(await renegotiate({}), 'ERR_SSL_NO_RENEGOTIATION');
      const raw = await opened({});
      raw.send(22, Buffer.from([1, 0, 0, 1, 0]));
      assert.deepEqual(await raw.next(), alert(100, 1));
      raw.send(23, Buffer.from('alive'));
      assert.deepEqual(await raw.next(), { type: 23, content: Buffer.from('alive') });
    });

    it('is accepted, with and without renegotiation_info', async () => {
      assert.equal(await renegotiate({ renegotiation: 'accepted' }), '2 handshakes');
      assert.equal(await renegotiate({ renegotiation: 'accepted', noRenegotiationInfo: true }), '2 handshakes');
    });

    it('is ignored, or closed with an alert', async () => {
      const ignoring = await opened({ renegotiation: 'ignored' });
      ignoring.send(22, Buffer.from([1, 0, 0, 1, 0]));
      ignoring.send(23, Buffer.from('alive'));
      assert.deepEqual(await ignoring.next(), { type: 23, content: Buffer.from('alive') });
      const closing = await opened({ renegotiation: 'closed' });
      closing.send(22, Buffer.from([1, 0, 0, 1, 0]));
      assert.deepEqual(await closing.next(), alert(40));
    });
  });

  describe('ccs', () => {
    it('is refused early, taken once, or ends the connection', async () => {
      const early = async (flaws: Flaws): Promise<RawClient> => {
        const raw = await client(await start(flaws));
        raw.hello();
        await raw.flight();
        raw.send(20, Buffer.from([1]));
        return raw;
      };
      assert.deepEqual(await (await early({})).next(), alert(10));
      assert.equal(await (await early({ ccs: 'closes' })).next(), 'end');
      const taking = await early({ ccs: 'accepted' });
      assert.equal(await taking.nextWithin(MOMENT_MS), null);
      taking.send(20, Buffer.from([1]));
      assert.deepEqual(await taking.next(), alert(10));
    });
  });

  describe('heartbeat', () => {
    const request = (payload: string, claimed = payload.length): Buffer =>
      Buffer.concat([Buffer.from([1, claimed >> 8, claimed & 0xff]), Buffer.from(payload), Buffer.alloc(16, '.')]);

    async function ask(heartbeat: Flaws['heartbeat'], ...requests: Buffer[]): Promise<Event | null> {
      const raw = await client(await start(heartbeat === undefined ? {} : { heartbeat }));
      raw.hello();
      await raw.flight();
      for (const one of requests) raw.send(24, one);
      return raw.nextWithin(MOMENT_MS);
    }

    it('answers with what came', async () => {
      const answer = await ask('bounded', request('too much', 100), request('payload'));
      assert.ok(answer !== null && typeof answer !== 'string');
      assert.equal(answer.type, 24);
      assert.equal(answer.content.subarray(0, 10).toString(), '\x02\x00\x07payload', 'the first request was dropped');
      assert.equal(answer.content.length, 26);
    });

    it('bleeds what is claimed', async () => {
      const answer = await ask('bleeding', request('payload', 50));
      assert.ok(answer !== null && typeof answer !== 'string');
      assert.equal(
        answer.content.subarray(0, 53).toString(),
        '\x02\x002payload' + '.'.repeat(16) + MEMORY.slice(0, 27),
      );
      assert.equal(answer.content.length, 69);
    });

    it('is not spoken, or agreed to and ignored', async () => {
      assert.deepEqual(await ask(undefined, request('payload')), alert(10));
      assert.equal(await ask('ignoring', request('payload')), null);
    });
  });

  describe('refusals', () => {
    async function refused(flaws: Flaws, hello: Partial<RawHello>): Promise<Event> {
      const raw = await client(await start(flaws));
      raw.hello(hello);
      return raw.next();
    }

    it('are alerts, or connections closed and reset', async () => {
      assert.deepEqual(await refused({}, { suite: 0xc02f }), alert(40));
      assert.equal(await refused({ refusal: 'close' }, { suite: 0xc02f }), 'end');
      assert.equal(await refused({ refusal: 'reset' }, { suite: 0xc02f }), 'reset');
    });

    it('of a fallback can be left out', async () => {
      assert.deepEqual(await refused({}, { protocol: 'TLSv1.1', isFallback: true }), alert(86));
      const event = await refused({ noFallbackScsv: true }, { protocol: 'TLSv1.1', isFallback: true });
      assert.ok(typeof event !== 'string' && event.type === 22);
      const newest = await refused({}, { protocol: 'TLSv1.2', isFallback: true });
      assert.ok(typeof newest !== 'string' && newest.type === 22, 'not in the newest version');
    });
  });
});
