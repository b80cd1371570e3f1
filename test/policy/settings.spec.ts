import assert from 'node:assert/strict';
import {
  parseFacility,
  parseFrequency,
  parseRecipients,
  parseThresholds,
  parseTimeZone,
} from '../../lib/policy/settings';

describe('policy settings', () => {
  it('reads what users write', () => {
    assert.equal(parseFrequency(''), 'daily');
    assert.equal(parseFrequency('weekly'), 'weekly');
    assert.equal(parseFrequency('10'), 10);
    assert.deepEqual(parseThresholds('7, 60,30\n-7 # after'), [60, 30, 7, -7]);
    assert.deepEqual(parseThresholds(''), []);
    assert.equal(parseTimeZone('Europe/Berlin'), 'Europe/Berlin');
    assert.equal(parseFacility('LOCAL0'), 'local0');
    assert.deepEqual(
      parseRecipients("*.shop.example ops@shop.example\nboss@shop.example\n*O=Let's Encrypt* le@shop.example"),
      [
        { pattern: '*.shop.example', address: 'ops@shop.example' },
        { pattern: '*', address: 'boss@shop.example' },
        { pattern: "*O=Let's Encrypt*", address: 'le@shop.example' },
      ],
    );
  });

  const refused: [field: string, parse: () => unknown][] = [
    ['frequency', () => parseFrequency('hourly')],
    ['frequency', () => parseFrequency('0')],
    ['frequency', () => parseFrequency('1.5')],
    ['thresholds', () => parseThresholds('60,soon')],
    ['timeZone', () => parseTimeZone('Mars/Olympus')],
    ['emailTo', () => parseRecipients('*.shop.example')],
    ['emailTo', () => parseRecipients('* <script>@x')],
    ['syslogFacility', () => parseFacility('local9')],
  ];
  for (const [field, parse] of refused) {
    it(`refuses with the name of the field: ${String(parse).slice(6)}`, () => {
      assert.throws(parse, { code: 'CONFIG', message: new RegExp(`^${field}: `) });
    });
  }
});
