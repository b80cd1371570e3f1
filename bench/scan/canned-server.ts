import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { clientHello } from '../../lib/scan/wire/client-hello';
import { issueMany } from '../support/certificates';
import { answerJob } from '../support/processes';
import { addressOf } from '../support/targets';

export interface CannedJob {
  net: string;
  addresses: number;
}

const TLS12 = 0x0303;
/** TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 */
const SUITE = 0xc02f;
const SERVER_HELLO_DONE = Buffer.from('0e000000', 'hex');
const PROTOCOL_VERSION = Buffer.from('15030100020246', 'hex');
const HANDSHAKE_FAILURE = Buffer.from('15030300020228', 'hex');
const UNEXPECTED_MESSAGE = Buffer.from('1503030002020a', 'hex');

/**
 * A server that answers at once and without any cryptography, with what a real one said before: TLS 1.2 with one suite.
 * Its certificate has another serial number for each name that it is asked for, so that a scanner sees as many
 * certificates as names. Their signatures are wrong.
 */
answerJob<CannedJob, { port: number }>(async ({ net: network, addresses }) => {
  const { flight, serialAt } = await recordFlight();
  let port = 0;
  for (let index = 0; index < addresses; index += 1) {
    const server = net.createServer({ noDelay: true }, socket => {
      socket.on('error', () => {}); // ended by the scanner's reset
      socket.once('data', hello => {
        socket.write(answer(hello));
        socket.on('data', () => socket.end(UNEXPECTED_MESSAGE));
      });
    });
    server.listen({ host: addressOf(network, index), port, backlog: 4096 });
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  }
  return { port };

  function answer(hello: Buffer): Buffer {
    if (hello[0] !== 22 || hello.readUInt16BE(9) < TLS12) return PROTOCOL_VERSION;
    const suitesAt = 44 + (hello[43] ?? 0);
    const suites = hello.subarray(suitesAt + 2, suitesAt + 2 + hello.readUInt16BE(suitesAt));
    if (!suites.includes(SUITE_BYTES)) return HANDSHAKE_FAILURE;
    const bytes = Buffer.from(flight);
    createHash('sha256').update(serverName(hello)).digest().copy(bytes, serialAt, 0, 4);
    return bytes;
  }
});

const SUITE_BYTES = Buffer.from([SUITE >> 8, SUITE & 0xff]);

/** What a real server says to a hello, up to ServerHelloDone, and where in it the serial number's last four bytes are. */
async function recordFlight(): Promise<{ flight: Buffer; serialAt: number }> {
  const { servers } = issueMany(1, () => '*.bench.example');
  const [certificate] = servers;
  const server = tls.createServer({ cert: certificate?.cert, key: certificate?.key, maxVersion: 'TLSv1.2' });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(clientHello({ protocol: 'TLSv1.2', suites: SUITE_BYTES, serverName: 'n.bench.example' }).record);
  let flight = Buffer.alloc(0);
  while (!flight.subarray(-4).equals(SERVER_HELLO_DONE)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    flight = Buffer.concat([flight, chunk]);
  }
  socket.destroy();
  server.close();
  const serial = Buffer.from('02064000000003e8', 'hex'); // INTEGER of six bytes, the first of issueMany
  const at = flight.indexOf(serial);
  if (at < 0) throw new Error('the flight recorded has no certificate of the bench in it');
  return { flight, serialAt: at + 4 };
}

/** The SNI of a hello (RFC 6066 section 3), '' without. */
function serverName(hello: Buffer): string {
  let at = 44 + (hello[43] ?? 0);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + (hello[at] ?? 0) + 2;
  while (at + 4 <= hello.length) {
    if (hello.readUInt16BE(at) === 0) return hello.toString('latin1', at + 9, at + 9 + hello.readUInt16BE(at + 7));
    at += 4 + hello.readUInt16BE(at + 2);
  }
  return '';
}
