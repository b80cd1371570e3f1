import assert from 'node:assert/strict';
import { openRepository } from '../../lib/repository/open';
import type { KnownFinding, Notice, Repository } from '../../lib/repository/repository';
import { Desk } from '../../lib/tickets/desk';
import { onEveryProduct, usePlace } from '../support/repositories';
import { DESK, DeskLab } from '../tickets/desk-lab';
import { expiry, vulnerability } from '../tickets/samples';
import { sampleRecord, sampleReport, sampleSummary, sampleWork } from './samples';

const NOW = new Date('2026-12-30T12:00:00.000Z');
async function linesOf(repository: Repository): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of repository.export()) lines.push(line);
  return lines;
}

async function* from(lines: readonly string[]): AsyncGenerator<string> {
  await Promise.resolve();
  yield* lines;
}

const finding: KnownFinding = {
  finding: expiry(),
  place: null,
  causes: ['x'],
  activeAt: '2026-11-01T10:00:00.000Z',
  clearedAt: null,
};
const notice: Notice = {
  ...{ key: 'cd-exp-1', lastAt: null, count: 1, thresholds: [30], causes: [], lastRunId: 'run-1' },
  ...{ lastNotification: null, clearedAt: null, snoozedUntil: null, acknowledgedUntil: null, acknowledgedCauses: [] },
};
const carried = { key: 'cd-exp-1', runId: 'run-1', state: 'active' } as const;

/** At least one row in every table. */
async function fill(repository: Repository): Promise<void> {
  await repository.beginRun({ runId: 'run-1', startedAt: '2026-11-01T10:00:00.000Z', forced: false });
  for (let port = 1; port <= 450; port++) repository.record(sampleReport({ port }));
  await repository.endRun(sampleSummary('run-1'));
  await repository.saveFindings([finding]);
  await repository.saveNotices('policy', [notice]);
  await repository.setRetired('policy', 'cd-exp-9', true);
  await repository.saveTicket('rt', sampleRecord('k', { subject: 'Ünïcode \u0000 and "quotes"' }));
  await repository.conclude('rt', { ticket: null, carried: [carried], record: sampleRecord('k') });
  await repository.saveWork(sampleWork('w1'));
  const at = '2026-11-01T10:00:00.000Z';
  const ticket = { key: 'k', subject: 'S', body: 'B', status: 'Open', priority: 'High', createdAt: at, updatedAt: at };
  const { id } = await repository.localTickets.create({ ...ticket, notes: [{ at, text: 'one' }] });
  await repository.localTickets.addNote(id, { at, text: 'two' });
}

onEveryProduct('export and restore', product => {
  const [fullPlace, emptyPlace] = [usePlace(product), usePlace(product)];
  let full: Repository;
  let empty: Repository;
  beforeEach(async () => {
    full = await openRepository(fullPlace(), () => NOW);
    empty = await openRepository(emptyPlace(), () => NOW);
    await fill(full);
  });
  afterEach(() => Promise.all([full.close(), empty.close()]));

  it('bring back everything', async () => {
    const lines = await linesOf(full);
    assert.equal(await empty.restore(from(lines)), lines.length - 2);
    assert.deepEqual((await linesOf(empty)).slice(1), lines.slice(1));
    assert.equal((await empty.endpoints()).length, 450);
    assert.deepEqual(await empty.ticket('rt', 'k'), await full.ticket('rt', 'k'));
    assert.deepEqual(await empty.work(), await full.work());
    assert.deepEqual(await empty.localTickets.get(['1']), await full.localTickets.get(['1']));
    const tables = new Set(lines.slice(1, -1).map(line => (JSON.parse(line) as { table: string }).table));
    assert.equal(tables.size, 15, 'all tables but the claims');
  });

  it('hold no claim: whoever held one is not there any more', async () => {
    await full.claim({ desk: 'rt', key: 'k', owner: 'a', leaseMs: 60_000, now: NOW });
    await empty.restore(from(await linesOf(full)));
    assert.equal(await empty.claim({ desk: 'rt', key: 'k', owner: 'b', leaseMs: 60_000, now: NOW }), true);
  });

  it('go on with the numbers of the embedded desk', async () => {
    await empty.restore(from(await linesOf(full)));
    const [ticket] = await empty.localTickets.get(['1']);
    assert.ok(ticket);
    const { id: _, ...draft } = ticket;
    assert.equal((await empty.localTickets.create(draft)).id, '2');
  });

  const spoiled: readonly [string, (lines: string[]) => string[], RegExp][] = [
    ['a part of one', lines => lines.slice(0, -1), /cut off/],
    ['one with a hole', lines => lines.toSpliced(-2, 1), /has \d+ of \d+ rows/],
    ['another text', () => ['{"hello":1}'], /does not begin like one/],
    ['no JSON', lines => [...lines.slice(0, 5), '<html>', ...lines.slice(5)], /no JSON/],
    ['one of a newer version', lines => [lines[0]?.replace(/000\d-[a-z-]+/, '0099-future') ?? ''], /newer version/],
    [
      'a table that is none',
      lines => lines.map(line => line.replace('"table":"work"', '"table":"sqlite_master"')),
      /no row/,
    ],
    ['a value that is none', lines => lines.map(line => line.replace('"forced":0', '"forced":true')), /no row/],
    ['nothing', () => [], /cut off/],
  ];
  for (const [what, spoil, reason] of spoiled) {
    it(`refuse ${what}, and write nothing of it`, async () => {
      const lines = spoil(await linesOf(full));
      await assert.rejects(empty.restore(from(lines)), { code: 'INVALID', message: reason });
      assert.equal((await linesOf(empty)).length, 2);
    });
  }

  it('refuse a repository in use', async () => {
    const lines = await linesOf(full);
    await assert.rejects(full.restore(from(lines)), { code: 'INVALID', message: /not empty/ });
    assert.deepEqual((await linesOf(full)).slice(1), lines.slice(1));
  });

  it('open nothing twice in the next run', async () => {
    const lab = await DeskLab.open();
    const findings = [expiry(), vulnerability()];
    const desk = lab.desk();
    for (const one of findings) assert.equal((await desk.handle(one, { message: {} })).action, 'created');
    await empty.restore(from(await linesOf(lab.repository)));
    const restored: Desk = lab.desk({}, { repository: empty });
    const creates = lab.helpdesk.count('create');
    for (const one of findings) assert.equal((await restored.handle(one, { message: {} })).action, 'created', 'told');
    for (const one of findings) await restored.handle({ ...one, runId: 'run-2' }, { message: {} });
    assert.equal(lab.helpdesk.count('create'), creates);
    assert.equal((await empty.ticket(DESK, 'cd-vul-1'))?.action, 'updated');
    await lab.close();
  });
});
