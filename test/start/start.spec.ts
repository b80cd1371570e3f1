import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TicketRecord } from '../../lib/model/ticket';
import { closedPort, startOdd } from '../lab/tls-servers';
import { Start } from './start';
import { waitFor } from '../support/wait';

const ROOT = join(__dirname, '..', '..');

describe('npm start', function () {
  this.timeout(180_000);
  let userDir: string;
  let started: Start | null = null;
  beforeEach(async () => {
    userDir = await mkdtemp(join(tmpdir(), 'certdesk-start-'));
  });
  afterEach(async () => {
    await started?.ctrlC();
    started = null;
    await rm(userDir, { recursive: true, force: true });
  });

  const tickets = async (url: string): Promise<TicketRecord[]> => {
    const response = await fetch(`${url}certdesk/default/tickets`);
    return ((await response.json()) as { items: TicketRecord[] }).items;
  };

  it('opens tickets for exactly the expiring and the weak demo server, once, and Ctrl-C ends everything', async () => {
    const subjects = ['SSL Certificate expiring.certdesk.example expiry', 'Vulnerabilities for weak.certdesk.example'];
    started = Start.run(ROOT, { CERTDESK_USER_DIR: userDir });
    const [, url] = (await started.until(/Open (http:\S+) to see/, 120_000)) as unknown as [string, string];
    const first = await tickets(url);
    assert.deepEqual(first.map(ticket => ticket.subject).sort(), subjects);
    assert.deepEqual(
      first.map(ticket => ticket.priority),
      ['High', 'High'],
    );
    assert.match(started.output, /Scanned 3 endpoints: 3 answered, 0 did not\./);
    await started.ctrlC();
    const port = Number(new URL(url).port);
    assert.equal(await isListening(port), false);

    const before = Date.now();
    started = Start.run(ROOT, { CERTDESK_USER_DIR: userDir });
    const [, again] = (await started.until(/Open (http:\S+) to see/, 60_000)) as unknown as [string, string];
    console.log(`      second start: ${((Date.now() - before) / 1000).toFixed(1)} s`);
    const second = await tickets(again);
    assert.deepEqual(second.map(ticket => ticket.subject).sort(), subjects);
    assert.deepEqual(second.map(ticket => ticket.number).sort(), first.map(ticket => ticket.number).sort());
  });

  it('answers at the `http in` nodes of a flow, beside the editor', async () => {
    const closed = `127.0.0.20:${await closedPort('127.0.0.20')}`;
    started = Start.run(ROOT, { CERTDESK_USER_DIR: userDir, CERTDESK_TARGETS: closed });
    const [, url] = (await started.until(/Open (http:\S+) to see/, 120_000)) as unknown as [string, string];
    const nodes = [
      { id: 'hook', type: 'http in', url: '/renewed', method: 'post', wires: [['answer']] },
      { id: 'answer', type: 'http response', statusCode: '', wires: [] },
    ];
    const added = await fetch(`${url}flow`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ label: 'hooks', nodes }),
    });
    assert.equal(added.status, 200, await added.text());

    const ask = (): Promise<Response> =>
      fetch(`${url}renewed`, { method: 'POST', body: new URLSearchParams({ host: 'a.example' }) });
    // A flow is saved when the answer comes, and started a moment later.
    await waitFor(
      async () => (await ask()).status === 200,
      20_000,
      () => 'the node to answer',
    );
    const answer = await ask();
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { host: 'a.example' });
    assert.equal((await fetch(`${url}renewed`)).status, 404, 'another method');
    assert.match(await (await fetch(url)).text(), /<title>Node-RED<\/title>/);
  });

  for (const [name, env, said] of [
    ['a target that is none', { CERTDESK_TARGETS: 'good.example 10.0.0.0/99' }, /CERTDESK_TARGETS.*line 2/],
    ['a port that is none', { PORT: 'abc' }, /PORT "abc" is no port/],
  ] as const) {
    it(`refuses ${name} in one line and ends`, async () => {
      started = Start.run(ROOT, { CERTDESK_USER_DIR: userDir, ...env });
      assert.equal(await started.exited, 1);
      assert.match(started.output, said);
      assert.doesNotMatch(started.output, /^\s+at /m);
    });
  }

  it('scans the servers that CERTDESK_TARGETS names instead', async () => {
    const server = await startOdd('garbage', '127.0.0.20');
    const closed = await closedPort('127.0.0.20');
    try {
      started = Start.run(ROOT, {
        CERTDESK_USER_DIR: userDir,
        CERTDESK_TARGETS: `own.example@127.0.0.20:${server.port},${closed}`,
      });
      await started.until(/Scanned 2 endpoints: 0 answered, 2 did not: .*\(NOT_TLS\)/, 120_000);
      await started.until(/No tickets\./, 10_000);
    } finally {
      await server.close();
    }
  });
});

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise(resolve => {
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
