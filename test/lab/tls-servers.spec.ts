import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { issue, type IssuedCertificate } from './certificates';
import { closedPort, startHealthy, startOdd, startWeak, type LabServer } from './tls-servers';

describe('TLS servers of the lab', () => {
  let first: IssuedCertificate;
  let second: IssuedCertificate;
  const servers: LabServer[] = [];
  before(async () => {
    [first, second] = await Promise.all([issue(null, { commonName: 'one' }), issue(null, { commonName: 'two' })]);
  });
  afterEach(() => Promise.all(servers.splice(0).map(server => server.close())));

  async function started<T extends LabServer>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    servers.push(server);
    return server;
  }

  /** The outcome of one handshake: version and suite, or the error's code. */
  async function handshake(server: LabServer, options: tls.ConnectionOptions): Promise<string> {
    const socket = tls.connect({ host: server.host, port: server.port, rejectUnauthorized: false, ...options });
    try {
      await once(socket, 'secureConnect');
      return `${socket.getProtocol()} ${socket.getCipher().name} ${String(socket.getPeerCertificate().subject.CN)}`;
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    } finally {
      socket.destroy();
    }
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:eNULL:@SECLEVEL=0' } as const;

  it('healthy: TLS 1.3 and 1.2, nothing older, no suite without forward secrecy', async () => {
    const server = await started(startHealthy(first));
    assert.match(await handshake(server, {}), /^TLSv1\.3 TLS_AES_256_GCM_SHA384 one/);
    assert.match(await handshake(server, { maxVersion: 'TLSv1.2' }), /^TLSv1\.2 ECDHE-RSA-AES128-GCM-SHA256/);
    assert.match(await handshake(server, old), /ALERT_PROTOCOL_VERSION/);
    assert.match(await handshake(server, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }), /HANDSHAKE_FAILURE/);
  });

  it('weak: TLS 1.0 and suites without encryption', async () => {
    const server = await started(startWeak(first));
    assert.match(await handshake(server, old), /^TLSv1 ECDHE-RSA-AES128-SHA/);
    const nullSuite = { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' } as const;
    assert.match(await handshake(server, nullSuite), /^TLSv1\.2 NULL-SHA256/);
    assert.match(await handshake(server, { minVersion: 'TLSv1.3' }), /PROTOCOL_VERSION/);
  });

  it('counts connections and changes its certificate in place', async () => {
    const server = await started(startHealthy(first));
    assert.match(await handshake(server, {}), /one$/);
    server.setCertificate(second.cert, second.key);
    assert.match(await handshake(server, {}), /two$/);
    assert.match(await handshake(server, old), /ALERT_PROTOCOL_VERSION/, 'still healthy');
    assert.equal(server.connections, 3);
  });

  it('odd ones: garbage, http, close, reset', async () => {
    for (const behaviour of ['garbage', 'http', 'closing', 'reset'] as const) {
      const server = await started(startOdd(behaviour));
      assert.match(await handshake(server, {}), /^(ERR_SSL_WRONG_VERSION_NUMBER|ECONNRESET|ERR_SSL_.*)$/, behaviour);
    }
  });

  it('silent: accepts, says nothing, and lets go when closed', async () => {
    const server = await started(startOdd('silent'));
    const socket = net.connect(server.port, server.host);
    await once(socket, 'connect');
    socket.write('hello');
    const closed = new Promise(resolve => socket.on('error', () => {}).on('close', resolve));
    await server.close();
    await closed;
    assert.equal(socket.bytesRead, 0);
  });

  it('a closed port refuses', async () => {
    const socket = net.connect(await closedPort(), '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
});
