import assert from 'node:assert/strict';
import { cutLine, cutText } from '../../lib/helpdesks/cut';
import { HELPDESKS, helpdeskType } from '../../lib/helpdesks';
import { createRedactor } from '../../lib/helpdesks/redact';
import { understandStatus } from '../../lib/helpdesks/status';
import { TICKET_STATUSES } from '../../lib/model/ticket';

describe('what a native status means', () => {
  const maps = {
    user: { '5': 'Closed', ' Waiting ': 'On Hold' },
    known: { resolved: 'Resolved', waiting: 'Open' },
  } as const;

  it('is what the user says, by id or name, then what is known, then the category', () => {
    assert.equal(understandStatus({ name: 'Resolved', id: '5' }, maps), 'Closed');
    assert.equal(understandStatus({ name: 'waiting' }, maps), 'On Hold');
    assert.equal(understandStatus({ name: ' RESOLVED ' }, maps, 'Open'), 'Resolved');
    assert.equal(understandStatus({ name: 'erledigt' }, maps, 'Closed'), 'Closed');
  });

  it('is Unknown when nobody knows, whatever the name', () => {
    for (const name of ['erledigt', '', 'constructor', '__proto__']) {
      assert.equal(understandStatus({ name }, maps), 'Unknown');
    }
  });
});

describe('the registry of helpdesks', () => {
  it('finds each by its name and refuses others', () => {
    for (const type of HELPDESKS) assert.equal(helpdeskType(type.name), type);
    assert.throws(() => helpdeskType('nothing'), { code: 'CONFIG' });
  });

  for (const type of HELPDESKS) {
    it(`${type.name} declares what a dialog and the desk need`, () => {
      const fields = [...type.connectionFields, ...type.ticketFields];
      assert.equal(new Set(fields.map(field => field.name)).size, fields.length, 'names are unique');
      for (const field of fields) {
        assert.match(field.help, /\.$/, `help of ${field.name}`);
        assert.equal(field.type === 'select', field.options !== undefined, field.name);
        assert.equal(field.type === 'config', field.configType !== undefined, field.name);
        if (field.type === 'password') assert.equal(field.secret, true, field.name);
      }
      for (const [name, status] of Object.entries(type.statuses)) {
        assert.equal(name, name.toLowerCase());
        assert.ok(TICKET_STATUSES.includes(status));
      }
    });
  }
});

describe('texts for a helpdesk', () => {
  it('are cut with a visible note, never inside a character', () => {
    assert.equal(cutLine('short', 10), 'short');
    assert.equal(cutLine('ab🔐cd', 4), 'ab…');
    const cut = cutText('🔐'.repeat(100), 101);
    assert.ok(cut.length <= 101);
    assert.match(cut, /^(🔐)+\n\[cut here/u);
  });

  it('lose every form of a secret', () => {
    const redact = createRedactor(['pä/ss', '', 'pä/ss word']);
    assert.equal(redact(`pä/ss word, p%C3%A4%2Fss, ${Buffer.from('pä/ss').toString('base64')}`), '***, ***, ***');
  });
});
