import assert from 'node:assert/strict';
import { nodeSets } from './sets';

const sets = nodeSets();

describe('validators of the dialogs', () => {
  const validator = (type: string, name: string): ((value: unknown) => unknown) => {
    for (const set of sets) {
      const property = set.editorTypes().get(type)?.defaults[name];
      if (property === undefined) continue;
      const node = { _: (key: string, values?: Record<string, unknown>) => set.text(key, values) };
      return value => property.validate?.call(node, value, {}) ?? true;
    }
    throw new Error(`no ${type}`);
  };
  const cases: [type: string, name: string, good: unknown[], bad: unknown[]][] = [
    [
      'certdesk-ssl-scan',
      'targets',
      [
        '',
        'shop.example\nmail.example:993, 192.0.2.0/24 # office\n# all',
        ['a.example', 'b.example:443,8443'],
        'smtp://mail.example:587',
        'https://shop.example:8443/basket?a=1',
        'shop.example@192.0.2.7:443',
        '192.0.2.1-192.0.2.20:443',
        '[2001:db8::1]:443',
        '[2001:db8::1]-[2001:db8::9]:443',
        '2001:db8::1',
        'IMAPS://mail.example',
        'smtp://192.0.2.0/24',
        '192.0.2.0/32:443',
        '2001:db8::/120',
        '[2001:db8::/128]:443',
        '192.0.2.9 - 192.0.2.9',
        'shop-1.example',
      ],
      [
        'gopher://shop.example',
        'shop.example:https',
        '[2001:db8::1]:70000',
        '192.0.2.0/33',
        '2001:db8::/129',
        'shop.example/24',
        '192.0.2.20-192.0.2.1',
        '192.0.2.1-192.0.2.300',
        '192.0.2.1-20',
        '2001:db8::1-9',
        'shop example',
        'shop.example:70000',
        'a.example\nb.example:0',
        ['a.example', 'b c'],
      ],
    ],
    ['certdesk-ssl-scan', 'concurrency', [100, '100', 1], ['', '0', 'many', 10_001]],
    ['certdesk-ssl-scan', 'timeoutMs', [10_000, '500'], ['', 50, 'soon']],
    ['certdesk-ssl-scan', 'checks', ['', 'rc4\nheartbleed # both', ['rc4']], ['rc5', 'rc4, HEARTBLEED!']],
    ['certdesk-ssl-scan', 'findings', ['', 'rc4,sslv3'], ['all']],
    ['certdesk-expiry-check', 'days', [30, '0', '45.5'], ['', -1, 'month']],
    ['certdesk-expiry-check', 'percent', ['', 33, '33'], ['101', 'third', -1]],
    ['certdesk-notification-policy', 'frequency', ['daily', 'every-run', 10, '10'], ['', 'hourly', 0, '1.5']],
    ['certdesk-notification-policy', 'timeZone', ['UTC', 'Europe/Berlin'], ['Moon/Base']],
    ['certdesk-notification-policy', 'thresholds', ['', '60,30,0,-7', [30, 7], 30], ['60;30', '1.5', 'soon']],
    ['certdesk-notification-policy', 'everyRunBelowDays', ['', 3, '-2'], ['three']],
    [
      'certdesk-notification-policy',
      'emailTo',
      ['', 'ops@example.com', '*.shop.example shop@example.com\n* ops@example.com'],
      ['ops', 'ops@example.com *'],
    ],
    ['certdesk-notification-policy', 'digestWaitMs', [5000, '0'], ['', 'long', -1]],
    ['certdesk-repository', 'retentionDays', [365, '30'], ['', 0, 'year']],
    ['certdesk-repository', 'baseUrl', ['', 'https://node-red.example:1880/red'], ['node-red.example']],
    ['certdesk-ticket-local', 'fields', ['', '{"Owner":"ops"}', { Owner: 'ops' }], ['Owner', '[]', '"text"', 'null']],
    ['certdesk-ticket-request-tracker', 'resolveFields', ['{}'], ['{']],
    ['certdesk-helpdesk-request-tracker', 'statusMap', ['{}', '{"done":"Resolved"}'], ['done=Resolved']],
  ];
  for (const [type, name, good, bad] of cases) {
    it(`${type} ${name}: takes what the node takes and says what is wrong with the rest`, () => {
      const validate = validator(type, name);
      for (const value of good) assert.equal(validate(value), true, JSON.stringify(value));
      for (const value of bad) {
        const reason = validate(value);
        assert.equal(typeof reason, 'string', JSON.stringify(value));
        assert.match(String(reason), / /, 'a text and not its key');
      }
    });
  }
});
