import assert from 'node:assert/strict';
import { findSuite } from '../../lib/scan/suites/suites';
import { uint16s, WireError } from '../../lib/scan/wire/bytes';
import { ClientHandshake } from '../../lib/scan/wire/client-handshake';
import { clientHello, type SentHello } from '../../lib/scan/wire/client-hello';
import type { TlsProtocol } from '../../lib/scan/wire/names';
import { FlightReader, type ServerFlight } from '../../lib/scan/wire/server-flight';
import { issue, makeCa } from '../lab/certificates';
import { startTls } from '../lab/tls-servers';
import { cut, fuzz, mutate, roundsOf, TLS } from './fuzz';
import { record } from './fuzz-corpus';

interface Begun {
  hello: SentHello;
  bytes: Buffer;
}

/** Nothing else may come of a server's bytes. */
function expectWireError(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof WireError, `no WireError: ${String(thrown)}`);
  }
}

describe('a handshake of our own, at mutated bytes', function () {
  this.timeout(Math.max(60_000, roundsOf(100)));
  let begun: Begun[];
  before(async () => {
    const issued = await issue(await makeCa('Fuzz Root'), { commonName: 'a.example', dns: ['a.example'] });
    const server = await startTls({ ...issued, dhparam: 'auto', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' });
    const begin = async (protocol: TlsProtocol, suite: number, groups: number[]): Promise<Begun> => {
      const hello = clientHello({ protocol, suites: uint16s([suite]), serverName: 'a.example', groups });
      const reader = new FlightReader();
      return { hello, bytes: await record(server, hello.record, chunk => reader.push(chunk)) };
    };
    begun = [
      await begin('TLSv1', 0x002f, [0x0017]),
      await begin('TLSv1.2', 0x009c, [0x0017]),
      await begin('TLSv1.2', 0xc02f, [0x0017]),
      await begin('TLSv1.2', 0xc013, [0x001d]),
      await begin('TLSv1.2', 0xcca8, [0x001e]),
      await begin('TLSv1.1', 0x0033, [0x0017]),
    ];
    await server.close();
  });

  function readFlight(bytes: Buffer): ServerFlight | null {
    const reader = new FlightReader();
    expectWireError(() => reader.push(bytes));
    return reader.flight;
  }

  function start({ hello }: Begun, flight: ServerFlight): ClientHandshake | null {
    const { protocol } = flight;
    const suite = findSuite('classic', flight.suite);
    if (protocol === undefined || protocol === 'TLSv1.3' || protocol === 'SSLv3' || suite === undefined) return null;
    return new ClientHandshake({ hello, flight, protocol, suite });
  }

  it('begins with the flights as they are', () => {
    for (const one of begun) {
      const flight = readFlight(one.bytes);
      assert.ok(flight !== null && start(one, flight) !== null);
    }
  });

  it('begins, or throws a WireError', () => {
    fuzz(roundsOf(3), random => {
      const one = random.pick(begun);
      const flight = readFlight(mutate(one.bytes, random, TLS));
      if (flight !== null) expectWireError(() => start(one, flight));
    });
  });

  it('takes what follows the flight, or throws a WireError', () => {
    const ticket = Buffer.from('16030300100400000c000001 2c0006010203040506'.replaceAll(' ', ''), 'hex');
    const finished = Buffer.from('16030300101400000c000102030405060708090a0b', 'hex');
    const changed = Buffer.from('140303000101', 'hex');
    const sealed = Buffer.concat([Buffer.from('1603030040', 'hex'), Buffer.alloc(64, 7)]);
    const alert = Buffer.from('15030300020228', 'hex');
    const answers = [
      Buffer.concat([ticket, changed, sealed]),
      Buffer.concat([ticket, finished]),
      Buffer.concat([changed, sealed, sealed]),
      Buffer.concat([alert, finished]),
    ];
    const handshakes = begun.map(one => ({ one, flight: readFlight(one.bytes) }));
    fuzz(roundsOf(3), random => {
      const { one, flight } = random.pick(handshakes);
      assert.ok(flight !== null);
      const handshake = start(one, flight);
      const answer = mutate(random.pick(answers), random, TLS);
      expectWireError(() => {
        for (const chunk of cut(answer, random)) {
          for (const incoming of handshake?.layer.read(chunk) ?? []) handshake?.take(incoming);
        }
      });
    });
  });
});
