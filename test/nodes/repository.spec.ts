import assert from 'node:assert/strict';
import type { SinonSpy } from 'sinon';
import type { TicketRecord } from '../../lib/model/ticket';
import { sharedPostgres, type Postgres, type PostgresAccess } from '../lab/postgres';
import { Runtime, type FlowNode } from '../support/runtime';
import { sampleFinding } from '../support/samples';
import { skip } from '../support/skip';

const INSTALL_TIMEOUT_MS = 10 * 60_000;

describe('a repository node that names a PostgreSQL database', function () {
  this.timeout(60_000);
  let server: Postgres;
  let access: PostgresAccess;
  let runtime: Runtime;

  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const started = await sharedPostgres();
    if ('skipped' in started) skip(this, started.skipped);
    server = started;
  });
  beforeEach(async () => {
    access = await server.takeDatabase();
    runtime = await Runtime.start();
  });
  afterEach(async () => {
    await runtime.stop();
    await server.giveBack(access);
  });

  const repository = (id: string, over: object = {}): FlowNode => ({
    ...{ id, type: 'certdesk-repository', z: null, kind: 'postgres', database: access.database },
    ...{ host: access.host, port: String(access.port), ...over },
  });
  const ticket = (id: string, repositoryId: string): FlowNode => ({
    ...{ id, type: 'certdesk-ticket-local', repository: repositoryId, wires: [['records']] },
  });
  const RECEIVERS: FlowNode[] = [
    { id: 'records', type: 'helper' },
    { id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['errors']] },
    { id: 'errors', type: 'helper' },
  ];
  const credentials = (password = access.password) => ({ username: access.username, password });
  const send = async (node: string): Promise<void> =>
    runtime.send(node, { payload: await sampleFinding('shop.example', { key: 'cd-exp-1' }) });
  const pageOf = async (id: string): Promise<string[]> => {
    const { body } = await runtime.admin<{ items: TicketRecord[] }>('get', `/certdesk/${id}/tickets`);
    return body.items.map(record => record.key);
  };

  it('keeps tickets there, and shares it with another node that names the same place', async () => {
    const both = { one: credentials(), two: credentials() };
    const flow = [repository('one'), repository('two'), ticket('a', 'one'), ticket('b', 'two'), ...RECEIVERS];
    await runtime.deploy(flow, both);
    await send('a');
    await runtime.until('records', 1);
    await send('b');
    const [created, second] = await runtime.until('records', 2);
    const records = [created, second].map(message => message?.payload as TicketRecord);
    assert.deepEqual(
      records.map(record => record.number),
      ['1', '1'],
    );
    assert.deepEqual([await pageOf('one'), await pageOf('two')], [['cd-exp-1'], ['cd-exp-1']]);
    const sessions = await server.admin(
      `select count(*)::int as n from pg_stat_activity where datname = '${access.database}'`,
    );
    assert.ok(Number(sessions[0]?.['n']) <= 4, 'one pool for both');
  });

  it('says what is wrong with a password, and never the password', async () => {
    await runtime.deploy([repository('one'), ticket('a', 'one'), ...RECEIVERS], { one: credentials('wrong-secret') });
    await send('a');
    const [message] = await runtime.until('errors', 1);
    const error = message?.['error'] as { message: string; code: string };
    assert.equal(error.code, 'REPOSITORY');
    assert.match(error.message, /user name or the password is wrong/);
    assert.ok(!JSON.stringify(message).includes('wrong-secret'));
  });

  for (const [name, over, given] of [
    ['host', { host: '' }, {}],
    ['database', { database: '' }, {}],
    ['username', {}, { username: '' }],
    ['port', { port: '70000' }, {}],
    ['tls', { tls: 'nobody' }, {}],
    ['kind', { kind: 'oracle' }, {}],
  ] as [string, object, object][]) {
    it(`is red at deploy and names ${name} when that is missing or wrong`, async () => {
      await runtime.deploy([repository('one', over)], { one: { ...credentials(), ...given } });
      const { error } = runtime.node('one') as unknown as Record<'error', SinonSpy>;
      assert.match(String(error.args[0]?.[0]), new RegExp(`^(Error: )?${name}:`));
    });
  }
});
