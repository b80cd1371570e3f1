import assert from 'node:assert/strict';
import type { Ticket } from '../../lib/helpdesks/helpdesk';
import { CertDeskError } from '../../lib/model/errors';
import { TicketReader } from '../../lib/tickets/reader';

function ticket(id: string): Ticket {
  const texts = { number: id, url: null, key: `cd-exp-${id}`, subject: '', nativeStatus: 'open', priority: '' };
  return { id, ...texts, status: 'Open', isGone: false, createdAt: '2026-11-25T12:00:00.000Z' };
}

/** A helpdesk with tickets 1 to `count` that gives four at a time, and what it was asked for. */
function helpdesk(count: number, { likely = count, refused = '' } = {}) {
  const ids = Array.from({ length: count }, (_, index) => String(index + 1));
  const asked: string[][] = [];
  const reader = new TicketReader({
    bulkSize: 4,
    likely: () => Promise.resolve(ids.slice(0, likely)),
    helpdesk: {
      get(wanted) {
        asked.push(wanted);
        if (wanted.includes(refused)) return Promise.reject(new CertDeskError('FORBIDDEN', 'no'));
        return Promise.resolve(new Map(wanted.filter(id => ids.includes(id)).map(id => [id, ticket(id)])));
      },
    },
  });
  return { reader, asked };
}

describe('reading tickets', () => {
  it('asks for what comes at the same time with one request', async () => {
    const { reader, asked } = helpdesk(9);
    const read = await Promise.all(['3', '1', '3', '99'].map(id => reader.read(id)));
    assert.deepEqual(
      read.map(found => found?.id ?? null),
      ['3', '1', '3', null],
    );
    assert.deepEqual(asked, [['3', '1', '99']]);
  });

  it('brings along at the first glance of a run what will be asked for next', async () => {
    const { reader, asked } = helpdesk(9);
    for (const id of ['3', '1', '2', '4', '5', '9']) assert.equal((await reader.glance(id, 'run-1'))?.id, id);
    assert.deepEqual(asked, [['3', '1', '2', '4'], ['5', '6', '7', '8'], ['9']]);
  });

  it('needs one page for every page of a run, however its Findings come', async () => {
    const { reader, asked } = helpdesk(400);
    const order = Array.from({ length: 400 }, (_, index) => String(((index * 149) % 400) + 1));
    for (const id of order) await reader.glance(id, 'run-1');
    assert.equal(asked.length, 100);
  });

  it('looks again in the next run, and when the same one is asked for twice', async () => {
    const { reader, asked } = helpdesk(2);
    await reader.glance('1', 'run-1');
    await reader.glance('2', 'run-1');
    assert.equal(asked.length, 1);
    await reader.glance('2', 'run-1');
    assert.equal(asked.length, 2);
    await reader.glance('1', 'run-2');
    assert.equal(asked.length, 3);
  });

  it('takes nothing brought along for how a ticket is now', async () => {
    const { reader, asked } = helpdesk(2);
    await reader.glance('1', 'run-1');
    await reader.read('2');
    await reader.glance('2', 'run-1');
    assert.deepEqual(asked, [['1', '2'], ['2'], ['2']]);
  });

  it('does not let one that may not be seen hide the others', async () => {
    const { reader } = helpdesk(3, { refused: '2' });
    const [one, two] = await Promise.allSettled([reader.read('1'), reader.read('2')]);
    assert.equal(one.status, 'fulfilled');
    assert.equal(two.status, 'rejected');
    assert.equal((await reader.glance('3', 'run-1'))?.id, '3', 'nor when it was only brought along');
  });
});
