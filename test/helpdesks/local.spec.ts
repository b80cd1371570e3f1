import assert from 'node:assert/strict';
import { local } from '../../lib/helpdesks/local';
import { openRepository } from '../../lib/repository/open';
import { describeAdapter } from './contract';

describeAdapter({
  type: local,
  settable: ['Open', 'In Progress', 'On Hold', 'Resolved', 'Canceled', 'Closed'],
  open: async () => {
    const repository = await openRepository({ kind: 'sqlite', path: ':memory:' });
    const { localTickets } = repository;
    const connect: (typeof local)['connect'] = connection =>
      local.connect(connection, { localTickets, now: () => new Date() });
    return {
      helpdesk: connect({ values: {}, statusMap: {} }, { now: () => new Date() }),
      connect: statusMap => connect({ values: {}, statusMap }, { now: () => new Date() }),
      target: {},
      setStatus: (id, status) => localTickets.setStatus(id, status, new Date().toISOString()),
      body: async id => (await localTickets.get([id]))[0]?.body ?? '',
      close: () => repository.close(),
    };
  },
});

describe('local: without a repository', () => {
  it('is refused', () => {
    assert.throws(() => local.connect({ values: {}, statusMap: {} }, { now: () => new Date() }), { code: 'CONFIG' });
  });
});
