import assert from 'node:assert/strict';
import { once, setMaxListeners } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { download, type Download, type DownloadOptions } from '../../lib/scan/revocation/download';
import { startHttp, type LabHttp } from '../lab/revocation';
import { closedPort, startOdd, type LabServer } from '../lab/tls-servers';
import { waitFor } from '../support/wait';

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];

describe('fetching what a certificate names', () => {
  const open: { close(): Promise<void> }[] = [];
  let before: Record<string, string | undefined>;
  beforeEach(() => {
    before = Object.fromEntries(PROXY_VARIABLES.map(name => [name, process.env[name]]));
    for (const name of PROXY_VARIABLES) delete process.env[name];
  });
  afterEach(async () => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    await Promise.all(open.splice(0).map(server => server.close()));
  });

  async function up<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    open.push(server);
    return server;
  }
  const serve = (...args: Parameters<typeof startHttp>): Promise<LabHttp> => up(startHttp(...args));

  function get(url: string, options: Partial<DownloadOptions> = {}): Promise<Download> {
    return download({
      url,
      accept: 'application/pkix-crl',
      maxBytes: 1000,
      timeoutMs: 2000,
      totalMs: 4000,
      signal: new AbortController().signal,
      ...options,
    });
  }

  it('gets the bytes, without a word about who asks', async () => {
    const server = await serve(Buffer.from('list'));
    assert.deepEqual(await get(`${server.url}/a.crl`), { kind: 'body', body: Buffer.from('list') });
    const [{ method, url, headers } = { method: '', url: '', headers: {} }] = server.requests;
    assert.deepEqual([method, url], ['GET', '/a.crl']);
    assert.equal(headers['user-agent'], 'CertDesk');
    assert.equal(headers.accept, 'application/pkix-crl');
    assert.equal(headers.connection, 'close');
    assert.deepEqual([headers.cookie, headers.authorization, headers.referer], [undefined, undefined, undefined]);
  });

  it('posts a request with its type', async () => {
    const server = await serve(Buffer.from('answer'));
    const post = { type: 'application/ocsp-request', body: Buffer.from([1, 2, 3]) };
    assert.equal((await get(server.url, { post })).kind, 'body');
    const [request] = server.requests;
    assert.deepEqual([request?.method, request?.headers['content-type']], ['POST', 'application/ocsp-request']);
    assert.deepEqual(request?.body, Buffer.from([1, 2, 3]));
  });

  for (const [reason, what, answer] of [
    ['it answered with HTTP status 404', 'a status that is not 200', 404],
    ['it answered with HTTP status 204', 'no content', 204],
    ['it answered with more than 1000 bytes', 'too many bytes that are announced', Buffer.alloc(1001)],
    [
      'it answered with more than 1000 bytes',
      'bytes without end',
      (response: ServerResponse) => {
        const more = setInterval(() => response.write(Buffer.alloc(100)), 1);
        response.on('close', () => clearInterval(more));
      },
    ],
    [
      'it did not answer in time',
      'one byte now and then',
      (response: ServerResponse) => {
        const more = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(more));
      },
    ],
    ['it did not answer in time', 'silence', () => {}],
    [
      'it cannot be reached (ECONNRESET)',
      'a cut off answer',
      (response: ServerResponse) => {
        response.writeHead(200, { 'Content-Length': 100 }).write('x', () => response.destroy());
      },
    ],
  ] as [string, string, number | Buffer | ((response: ServerResponse) => void)][]) {
    it(`says what is wrong with ${what}`, async () => {
      const server = await serve(() => answer);
      assert.deepEqual(await get(server.url, { timeoutMs: 300, totalMs: 400 }), { kind: 'failed', reason });
    });
  }

  it('takes what is packed as it is', async () => {
    const packed = gzipSync(Buffer.alloc(100_000));
    const server = await serve(() => response => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(packed);
    });
    assert.deepEqual(await get(server.url), { kind: 'body', body: packed });
    assert.equal(server.requests[0]?.headers['accept-encoding'], 'identity');
  });

  it('follows a redirect, and not for ever', async () => {
    const server = await serve(({ url }) => {
      if (url === '/end') return Buffer.from('here');
      const location = url === '/start' ? '/end' : url === '/file' ? 'file:///etc/hostname' : '/loop';
      return response => response.writeHead(302, { Location: location }).end();
    });
    assert.deepEqual(await get(`${server.url}/start`), { kind: 'body', body: Buffer.from('here') });
    assert.equal((await get(`${server.url}/loop`)).kind, 'failed');
    assert.equal(server.requests.filter(({ url }) => url === '/loop').length, 4);
    assert.equal((await get(`${server.url}/file`)).kind, 'failed');
  });

  it('says that nobody listens', async () => {
    const reason = 'it cannot be reached (ECONNREFUSED)';
    assert.deepEqual(await get(`http://127.0.0.1:${await closedPort()}/`), { kind: 'failed', reason });
  });

  it('leaves a dead host alone after two knocks, and not one that answers badly', async () => {
    const dead: LabServer = await up(startOdd('reset'));
    const reason = 'it cannot be reached (ECONNRESET)';
    for (const suffix of ['', '', ', so it is left alone for a while', ', so it is left alone for a while']) {
      const failed = await get(`http://127.0.0.1:${dead.port}/`);
      assert.deepEqual(failed, { kind: 'failed', reason: reason + suffix });
    }
    assert.equal(dead.connections, 2);
    const bad = await serve(500);
    for (let i = 0; i < 4; i += 1) await get(bad.url);
    assert.equal(bad.requests.length, 4);
  });

  it('asks a host no more than six things at once', async () => {
    let atOnce = 0;
    let most = 0;
    const answers: (() => void)[] = [];
    const server = await serve(() => response => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      answers.push(() => {
        atOnce -= 1;
        response.end('x');
      });
    });
    const all = Promise.all(Array.from({ length: 15 }, () => get(server.url)));
    for (let i = 0; i < 15; i += 1) {
      const expected = Math.min(6, 15 - i);
      await waitFor(
        () => answers.length === expected,
        2000,
        () => `${expected} requests`,
      );
      answers.shift()?.();
    }
    assert.ok((await all).every(({ kind }) => kind === 'body'));
    assert.equal(most, 6);
  });

  it('is stopped at once, in flight and in the queue, and closes its socket', async () => {
    const server = await up(startOdd('silent'));
    const stop = new AbortController();
    const { signal } = stop;
    setMaxListeners(0, signal);
    const url = `http://127.0.0.1:${server.port}/`;
    const all = Promise.all(Array.from({ length: 10 }, () => get(url, { signal, timeoutMs: 60_000, totalMs: 60_000 })));
    await waitFor(
      () => server.openConnections === 6,
      2000,
      () => 'six connections',
    );
    stop.abort();
    const stopped = { kind: 'failed', reason: 'the scan was stopped' };
    assert.deepEqual(
      await all,
      Array.from({ length: 10 }, () => stopped),
    );
    await waitFor(
      () => server.openConnections === 0,
      2000,
      () => 'the sockets to close',
    );
    assert.equal(server.connections, 6);
    assert.equal((await get(url, { timeoutMs: 100 })).kind, 'failed');
    assert.equal(server.connections, 7);
  });

  for (const variable of ['http_proxy', 'HTTP_PROXY']) {
    it(`goes by the proxy of ${variable}`, async () => {
      const proxy = await serve(Buffer.from('by proxy'));
      process.env[variable] = proxy.url;
      const said = await get('http://crl.example/a.crl');
      assert.deepEqual(said, { kind: 'body', body: Buffer.from('by proxy') });
      assert.equal(proxy.requests[0]?.url, 'http://crl.example/a.crl');
      assert.equal(proxy.requests[0]?.headers.host, 'crl.example');
    });
  }

  for (const variable of ['no_proxy', 'NO_PROXY']) {
    it(`goes past the proxy where ${variable} says so`, async () => {
      const [proxy, server] = [await serve(Buffer.from('by proxy')), await serve(Buffer.from('direct'))];
      process.env['http_proxy'] = proxy.url;
      process.env[variable] = 'other.example,127.0.0.1';
      assert.deepEqual(await get(server.url), { kind: 'body', body: Buffer.from('direct') });
      assert.equal(proxy.requests.length, 0);
    });
  }

  it('goes through a tunnel of the proxy of https_proxy', async () => {
    const asked: (string | undefined)[] = [];
    const proxy = http.createServer().on('connect', ({ url }, socket) => {
      asked.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      process.env['https_proxy'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      assert.equal((await get('https://crl.example/a.crl')).kind, 'failed');
      assert.deepEqual(asked, ['crl.example:443']);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
