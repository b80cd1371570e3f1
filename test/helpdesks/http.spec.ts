import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { ConnectionSettings } from '../../lib/helpdesks/helpdesk';
import { HelpdeskHttp } from '../../lib/helpdesks/http';
import type { CertDeskError, ErrorCode } from '../../lib/model/errors';
import { issue, makeCa, type Ca } from '../lab/certificates';
import { json, Loopback } from './loopback';

const TOKEN = 's3cret/token+value';
const PASSWORD = 'pässword for the proxy';

function http(connection: Partial<ConnectionSettings>, timeoutMs = 5_000): HelpdeskHttp {
  return new HelpdeskHttp({
    label: 'The helpdesk',
    connection: { values: {}, statusMap: {}, ...connection },
    apiPath: '/api',
    headers: { Authorization: `token ${TOKEN}` },
    secrets: [TOKEN],
    now: () => new Date('2026-01-01T00:00:00Z'),
    timeoutMs,
  });
}

describe('requests to a helpdesk', () => {
  let server: Loopback;
  beforeEach(async () => {
    server = await Loopback.start();
  });
  afterEach(() => server.stop());

  const get = (): Promise<unknown> => http({ values: { url: server.url } }).request({ method: 'GET', path: '/thing' });
  async function failure(job: Promise<unknown>): Promise<CertDeskError> {
    try {
      await job;
    } catch (error) {
      return error as CertDeskError;
    }
    return assert.fail('it did not fail');
  }

  it('sends JSON and forms below the API’s path, and reads JSON', async () => {
    server.answer = (_, response) => json(response, 201, { id: 1 });
    const client = http({ values: { url: `${server.url}/desk/` } });
    assert.deepEqual(await client.request({ method: 'POST', path: '/t', json: { a: 'ü' } }), { id: 1 });
    await client.request({ method: 'POST', path: '/s', form: { query: "a = 'b&c'" }, query: { page: '1' } });
    const [first, second] = server.seen;
    assert.equal(first?.url, '/desk/api/t');
    assert.equal(first?.body, '{"a":"ü"}');
    assert.match(first?.headers['content-type'] ?? '', /^application\/json/);
    assert.equal(first?.headers.authorization, `token ${TOKEN}`);
    assert.doesNotMatch(first?.headers['user-agent'] ?? '', /mozilla/i);
    assert.equal(second?.url, '/desk/api/s?page=1');
    assert.equal(new URLSearchParams(second?.body).get('query'), "a = 'b&c'");
    assert.match(second?.headers['content-type'] ?? '', /^application\/x-www-form-urlencoded/);
  });

  const STATUSES: [number, ErrorCode][] = [
    [301, 'PROTOCOL'],
    [302, 'PROTOCOL'],
    [400, 'INVALID'],
    [401, 'AUTH'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [409, 'CONFLICT'],
    [412, 'CONFLICT'],
    [422, 'INVALID'],
    [429, 'RATE_LIMITED'],
    [500, 'SERVER'],
    [502, 'SERVER'],
    [503, 'SERVER'],
  ];
  for (const [status, code] of STATUSES) {
    it(`takes ${status} for ${code}, quotes the helpdesk and says what to do`, async () => {
      server.answer = (_, response) => json(response, status, { message: 'field\r\n"x" is missing' });
      const error = await failure(get());
      assert.equal(error.code, code);
      assert.match(error.message, new RegExp(`answered ${status} to GET /thing.*field.*missing.*\\. [A-Z].*\\.$`));
    });
  }

  for (const [header, wait] of [
    ['7', 7_000],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
    ['soon', undefined],
  ] as const) {
    it(`hears how long to wait: Retry-After ${header}`, async () => {
      server.answer = (_, response) => json(response, 429, {}, { 'Retry-After': header });
      assert.equal((await failure(get())).retryAfterMs, wait);
    });
  }

  it('does not follow a redirect, and shows only its host', async () => {
    const other = await Loopback.start();
    server.answer = (_, response) => json(response, 302, {}, { Location: `${other.url}/login?session=abc` });
    const error = await failure(get());
    assert.equal(other.seen.length, 0);
    assert.match(error.message, new RegExp(`sends on to ${other.url}`));
    assert.doesNotMatch(error.message, /session/);
    await other.stop();
  });

  it('takes a page instead of JSON for the wrong URL', async () => {
    server.answer = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.end('<html>Please log in</html>');
    };
    const error = await failure(get());
    assert.equal(error.code, 'PROTOCOL');
    assert.doesNotMatch(error.message, /<html>/);
  });

  const CUT: [string, (response: ServerResponse) => void][] = [
    ['a reset before the answer', response => response.destroy()],
    ['a body shorter than announced', response => cut(response, { 'Content-Length': '100' })],
    ['a body that ends in the middle', response => cut(response, { 'Transfer-Encoding': 'chunked' })],
    [
      'half of the JSON',
      response => {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end('{"half":');
      },
    ],
  ];
  for (const [what, answer] of CUT) {
    it(`takes ${what} for something that passes`, async () => {
      server.answer = (_, response) => answer(response);
      assert.equal((await failure(get())).code, 'UNREACHABLE');
    });
  }

  it('waits no longer than its limit, also for a body that drips', async () => {
    server.answer = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    };
    const started = performance.now();
    const client = http({ values: { url: server.url } }, 200);
    assert.equal((await failure(client.request({ method: 'GET', path: '/' }))).code, 'TIMEOUT');
    assert.ok(performance.now() - started < 2_000);
  });

  it('reads no more than ten megabytes', async () => {
    server.answer = (_, response) => json(response, 200, { big: 'x'.repeat(11 * 1024 * 1024) });
    const error = await failure(get());
    assert.equal(error.code, 'PROTOCOL');
    assert.match(error.message, /more than 10 MiB/);
  });

  it('asks at most eight things at once', async () => {
    let now = 0;
    let most = 0;
    server.answer = (_, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        json(response, 200, {});
      }, 20);
    };
    const client = http({ values: { url: server.url } });
    await Promise.all(Array.from({ length: 30 }, () => client.request({ method: 'GET', path: '/' })));
    assert.equal(most, 8);
  });

  it('says that nobody listens', async () => {
    const { url } = server;
    await server.stop();
    const error = await failure(http({ values: { url } }).request({ method: 'GET', path: '/' }));
    assert.equal(error.code, 'UNREACHABLE');
    assert.match(error.message, /ECONNREFUSED/);
    server = await Loopback.start();
  });

  it('keeps secrets out of texts and causes, whatever the helpdesk repeats', async () => {
    const base64 = Buffer.from(TOKEN).toString('base64');
    server.answer = (_, response) =>
      json(response, 400, { message: `${TOKEN} ${encodeURIComponent(TOKEN)} ${base64}` });
    const refused = await failure(get());
    server.answer = (_, response) => response.destroy();
    const reset = await failure(get());
    for (const error of [refused, reset]) {
      const all = `${error.message} ${error.stack} ${String(error.cause)} ${JSON.stringify(error.cause)}`;
      for (const form of [TOKEN, encodeURIComponent(TOKEN), base64]) assert.ok(!all.includes(form), all);
    }
  });

  for (const url of ['', 'rt.example', 'ftp://rt.example', 'https://user:pass@rt.example']) {
    it(`refuses the URL "${url}"`, () => {
      assert.throws(
        () => http({ values: { url } }),
        (error: CertDeskError) => error.code === 'CONFIG' && !error.message.includes('pass@'),
      );
    });
  }

  describe('over TLS', () => {
    let ca: Ca;
    let secure: Loopback;
    before(async () => {
      ca = await makeCa('Helpdesk test CA');
    });
    beforeEach(async () => {
      const { cert, key } = await issue(ca, { commonName: 'helpdesk.example', ip: ['127.0.0.1'] });
      secure = await Loopback.start({ cert, key });
    });
    afterEach(() => secure.stop());

    it('trusts the authority it is given', async () => {
      const client = http({ values: { url: secure.url }, tls: { ca: ca.cert } });
      assert.deepEqual(await client.request({ method: 'GET', path: '/' }), {});
    });

    it('tells a certificate that nobody vouches for from everything else', async () => {
      const error = await failure(http({ values: { url: secure.url } }).request({ method: 'GET', path: '/' }));
      assert.equal(error.code, 'TLS');
      assert.match(error.message, /TLS configuration that trusts its authority/);
    });

    it('tells a server that speaks no TLS', async () => {
      const url = server.url.replace('http:', 'https:');
      assert.equal((await failure(http({ values: { url } }).request({ method: 'GET', path: '/' }))).code, 'TLS');
    });
  });

  describe('through a proxy', () => {
    it('asks the proxy with its credentials, unless the host is excepted', async () => {
      const proxy = await Loopback.start();
      const settings = { url: proxy.url, noproxy: [], username: 'user', password: PASSWORD };
      const values = { url: 'http://helpdesk.invalid' };
      await http({ values, proxy: settings }).request({ method: 'GET', path: '/t' });
      assert.equal(proxy.seen[0]?.url, 'http://helpdesk.invalid/api/t');
      assert.match(proxy.seen[0]?.headers['proxy-authorization'] ?? '', /^Basic /);
      await http({ values: { url: server.url }, proxy: { ...settings, noproxy: ['127.0.0.*'] } }).request({
        method: 'GET',
        path: '/t',
      });
      assert.equal(proxy.seen.length, 1);
      assert.equal(server.seen.length, 1);
      await proxy.stop();
    });
  });
});

/** Announces more than it sends and hangs up. */
function cut(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, { 'Content-Type': 'application/json', ...headers });
  response.write('{"half":', () => response.destroy());
}
