import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { Helpdesk, HelpdeskType } from '../../lib/helpdesks/helpdesk';
import { local } from '../../lib/helpdesks/local';
import { requestTracker } from '../../lib/helpdesks/request-tracker';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { Desk } from '../../lib/tickets/desk';
import { DEFAULT_TICKET_SETTINGS } from '../../lib/tickets/settings';
import { FakeRequestTracker } from '../fakes/request-tracker';
import { expiry, SCANNED_BY } from './samples';

describe('speed of the desk', function () {
  this.timeout(120_000);
  let folder: string;
  let repository: Repository;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'certdesk-speed-'));
    repository = await openRepository({ kind: 'sqlite', path: join(folder, 'repository.db') });
  });
  afterEach(async () => {
    await repository.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const services = () => ({ localTickets: repository.localTickets, now: () => new Date() });
  const desk = (type: HelpdeskType, helpdesk: Helpdesk): Desk =>
    new Desk({
      ...{ desk: type.name, nodeId: 'node', type, helpdesk, repository, scannedBy: SCANNED_BY },
      settings: { ...DEFAULT_TICKET_SETTINGS, target: { queue: FakeRequestTracker.queue } },
      onRecord: () => undefined,
      onParked: () => undefined,
      onQueue: () => undefined,
    });
  const handleAll = (to: Desk, runId: string, count: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const finding = expiry({ key: `cd-exp-${index}`, runId });
        return (await to.handle(finding, { message: {} })).action;
      }),
    );

  it('makes a ticket in the time of a few plain inserts with a commit each', async () => {
    const plain = new Database(join(folder, 'plain.db'));
    plain.exec(
      'pragma journal_mode = WAL; pragma synchronous = FULL; create table plain (key text primary key, row text)',
    );
    const insert = plain.prepare('insert into plain values (?, ?)');
    const row = JSON.stringify(expiry());
    const embedded = desk(local, local.connect({ values: {}, statusMap: {} }, services()));
    let best = Infinity;
    for (let round = 0; round < 5 && best > 5; round++) {
      const startedAt = performance.now();
      for (let index = 0; index < 200; index++) insert.run(`${round} ${index}`, row);
      const plainMs = performance.now() - startedAt;
      await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          embedded.handle(expiry({ key: `cd-exp-${round}-${index}` }), { message: {} }),
        ),
      );
      best = Math.min(best, (performance.now() - startedAt - plainMs) / plainMs);
    }
    plain.close();
    await embedded.close();
    assert.ok(best <= 5, `${best.toFixed(1)} times as long`);
  });

  it('asks for the statuses of known tickets a page at a time', async () => {
    const fake = await FakeRequestTracker.start();
    try {
      const values = { url: fake.url, token: fake.token, keyField: FakeRequestTracker.keyField };
      const tracker = desk(requestTracker, requestTracker.connect({ values, statusMap: {} }, services()));
      await handleAll(tracker, 'run-1', 350);
      assert.equal(fake.tickets.size, 350);
      fake.requests = 0;
      assert.deepEqual([...new Set(await handleAll(tracker, 'run-2', 350))], ['left']);
      assert.ok(fake.requests <= 5, `${fake.requests} requests for 350 tickets`);
      await tracker.close();
    } finally {
      await fake.stop();
    }
  });
});
