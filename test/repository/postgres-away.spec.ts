import assert from 'node:assert/strict';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { migrate } from '../../lib/repository/migrate';
import { openRepository } from '../../lib/repository/open';
import { openPostgres } from '../../lib/repository/postgres';
import { Store } from '../../lib/repository/store';
import type { LocalTicket, Repository } from '../../lib/repository/repository';
import type { PostgresAccess } from '../../lib/repository/postgres-pool';
import { Postgres, sharedPostgres } from '../lab/postgres';
import { skip } from '../support/skip';
import { sampleReport, sampleWork } from './samples';

const INSTALL_TIMEOUT_MS = 10 * 60_000;
const at = '2026-11-01T10:00:00.000Z';
const draft = (key: string): Omit<LocalTicket, 'id'> => ({
  ...{ key, subject: 'S', body: 'B', status: 'Open', priority: 'High', createdAt: at, updatedAt: at, notes: [] },
});

/** What would end Node-RED, while `run` runs. */
async function unhandledIn(run: () => Promise<void>): Promise<unknown[]> {
  const found: unknown[] = [];
  const note = (reason: unknown) => found.push(reason);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  try {
    await run();
    await new Promise(resolve => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note);
  }
  return found;
}

describe('a PostgreSQL server that goes away and comes back', function () {
  this.timeout(120_000);
  let server: Postgres;
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const started = await Postgres.start();
    if ('skipped' in started) skip(this, started.skipped);
    server = started;
  });
  after(() => server?.close());

  for (const mode of ['fast', 'immediate'] as const) {
    it(`loses nothing that was accepted and writes nothing twice (${mode} stop in the middle of writing)`, async () => {
      const repository = await openRepository({ kind: 'postgres', ...(await server.takeDatabase()) });
      const created: string[] = [];
      let isOver = false;
      const createAll = async (name: string): Promise<void> => {
        for (let index = 0; !isOver; index++) {
          const key = `${name}-${index}`;
          await repository.localTickets.create(draft(key));
          created.push(key);
        }
      };
      let recorded = 0;
      const recordAll = async (): Promise<void> => {
        while (!isOver) {
          repository.record(sampleReport({ port: (recorded += 1) }));
          await new Promise(resolve => setTimeout(resolve, 2));
        }
      };
      const unhandled = await unhandledIn(async () => {
        const all = [recordAll(), ...['a', 'b', 'c', 'd'].map(createAll)];
        for (let round = 0; round < 3; round++) {
          const before = created.length;
          while (created.length < before + 20) await new Promise(resolve => setTimeout(resolve, 5));
          await server.stop(mode);
          await server.resume();
        }
        isOver = true;
        await Promise.all(all);
        await repository.flush();
      });
      assert.deepEqual(unhandled, []);
      for (const key of created) assert.equal((await repository.localTickets.findByKey(key)).length, 1, key);
      const page = await repository.localTickets.get(created.map((_, index) => String(index + 1)));
      assert.deepEqual(page.map(ticket => ticket.key).sort(), [...created].sort(), 'numbers without a hole');
      assert.equal((await repository.endpoints()).length, recorded);
      await repository.close();
    });
  }

  it('is told when it stays away, keeps what was recorded and writes it later, by itself', async () => {
    const repository = await openRepository({ kind: 'postgres', ...(await server.takeDatabase()) });
    const unhandled = await unhandledIn(async () => {
      await server.stop();
      repository.record(sampleReport());
      await assert.rejects(repository.flush(), { code: 'REPOSITORY', message: /No server answers.*when it is back/ });
      await assert.rejects(repository.saveWork(sampleWork('w1')), { code: 'REPOSITORY' });
      await server.resume();
    });
    assert.deepEqual(unhandled, []);
    assert.equal((await repository.endpoints()).length, 1);
    await repository.saveWork(sampleWork('w1'));
    await repository.close();
  });

  it('does not keep a repository from closing', async () => {
    const repository = await openRepository({ kind: 'postgres', ...(await server.takeDatabase()) });
    await server.stop();
    await repository.close();
    await server.resume();
  });
});

describe('a process that stops in the middle of a write to PostgreSQL', function () {
  this.timeout(60_000);
  let server: Postgres;
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const started = await sharedPostgres();
    if ('skipped' in started) skip(this, started.skipped);
    server = started;
  });

  it('holds up the others for seconds only, and writes again when it goes on', async () => {
    const access = await server.takeDatabase();
    const stores = [new Store(openPostgres(access)), new Store(openPostgres(access))] as const;
    for (const store of stores) await store.prepare(migrate);
    let attempts = 0;
    let goOn = (): void => undefined;
    const stopped = new Promise<void>(resolve => (goOn = resolve));
    await unhandledIn(async () => {
      let isUnderWay = (): void => undefined;
      const underWay = new Promise<void>(resolve => (isUnderWay = resolve));
      const late = stores[0].write(async trx => {
        attempts += 1;
        await trx.insertInto('counter').values({ name: 'late', value: 1 }).execute();
        isUnderWay();
        await stopped;
      });
      await underWay;
      await stores[1].write(trx => trx.insertInto('counter').values({ name: 'other', value: 1 }).execute());
      goOn();
      await late;
    }).then(unhandled => assert.deepEqual(unhandled, []));
    const rows = await stores[1].read(db => db.selectFrom('counter').select('name').orderBy('name').execute());
    assert.deepEqual([attempts, ...rows.map(row => row.name)], [2, 'late', 'other']);
    for (const store of stores) await store.close();
    await server.giveBack(access);
  });
});

/** Between repository and server; cuts a connection at its next commit, before the server hears of it or after. */
class Cutter {
  private readonly sockets = new Set<Socket>();
  private readonly server = net.createServer(client => this.connect(client));
  cut: 'before' | 'after' | null = null;
  cuts = 0;

  constructor(private readonly target: PostgresAccess) {}

  async listen(): Promise<PostgresAccess> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return { ...this.target, port: (this.server.address() as AddressInfo).port };
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private connect(client: Socket): void {
    const { host, port } = this.target;
    const upstream = net.connect(port, host);
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => [client, upstream].forEach(each => each.destroy()));
    }
    let isDoomed = false;
    client.on('data', data => {
      if (this.cut !== null && data.includes('commit\0') && data.length < 20) {
        const how = this.cut;
        this.cut = null;
        this.cuts += 1;
        if (how === 'before') return void client.destroy();
        isDoomed = true;
      }
      upstream.write(data);
    });
    upstream.on('data', data => {
      if (isDoomed) client.destroy();
      else client.write(data);
    });
  }
}

describe('a commit to PostgreSQL whose answer is lost', function () {
  this.timeout(60_000);
  let server: Postgres;
  let access: PostgresAccess;
  let cutter: Cutter;
  let repository: Repository;
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const started = await sharedPostgres();
    if ('skipped' in started) skip(this, started.skipped);
    server = started;
  });
  beforeEach(async () => {
    access = await server.takeDatabase();
    cutter = new Cutter({ ...access });
    repository = await openRepository({ kind: 'postgres', ...(await cutter.listen()) });
  });
  afterEach(async () => {
    await repository.close();
    cutter.close();
    await server.giveBack(access);
  });

  for (const how of ['before', 'after'] as const) {
    it(`has happened once, when the connection was cut ${how} the server heard of it`, async () => {
      const was = sampleWork('w1');
      await repository.saveWork(was);
      for (let round = 0; round < 5; round++) {
        cutter.cut = how;
        const ticket = await repository.localTickets.create(draft(`k${round}`));
        assert.equal(ticket.id, String(round + 1));
        cutter.cut = how;
        await repository.localTickets.addNote(ticket.id, { at, text: 'note' });
      }
      cutter.cut = how;
      assert.equal(await repository.changeWork(was, { ...was, attempts: 2 }), true);
      assert.equal(cutter.cuts, 11);
      const tickets = await repository.localTickets.get(['1', '2', '3', '4', '5', '6']);
      assert.deepEqual(
        tickets.map(ticket => [ticket.key, ticket.notes.length]),
        ['k0', 'k1', 'k2', 'k3', 'k4'].map(key => [key, 1]),
      );
    });
  }
});
