import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Notification, Reason } from '../../lib/model/finding';
import type { RunSummary } from '../../lib/model/report';
import { DigestCollector } from '../../lib/policy/digest-collector';
import type { Mail } from '../../lib/policy/mail';
import { DEFAULT_MAIL_SETTINGS, type MailSettings } from '../../lib/policy/settings';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { expiry, vulnerability } from './samples';

const END = '2026-06-06T13:00:00.000Z';
const say = (reason: Reason): Notification => ({ reason, threshold: null, count: 1, lastAt: null });

describe('DigestCollector', () => {
  let repository: Repository;
  let mails: Mail[];
  let events: EventEmitter;
  let collector: DigestCollector;
  const make = (settings: Partial<MailSettings> = {}): DigestCollector => {
    collector = new DigestCollector({
      repository,
      settings: {
        ...DEFAULT_MAIL_SETTINGS,
        digestWaitMs: 20,
        emailTo: [{ pattern: '*', address: 'a@x' }],
        ...settings,
      },
      scannedBy: 'CertDesk running at https://n.example',
      onMail: mail => {
        mails.push(mail);
        events.emit('mail');
      },
      onError: error => assert.fail(error),
    });
    return collector;
  };
  const endRun = (runId: string): Promise<void> => {
    const at = '2026-06-01T00:00:00.000Z';
    const figures = { endpoints: 0, scanned: 0, partial: 0, unreachable: 0, vulnerable: 0, connections: 0 };
    const summary: RunSummary = {
      ...{ runId, startedAt: at, finishedAt: at, stopped: false, forced: false },
      ...figures,
      unreachableEndpoints: [],
    };
    return repository.endRun(summary);
  };
  beforeEach(async () => {
    repository = await openRepository({ kind: 'sqlite', path: ':memory:' });
    mails = [];
    events = new EventEmitter();
  });
  afterEach(async () => {
    collector.close();
    await repository.close();
  });

  it('mails a run once it has ended, one mail for each recipient', async () => {
    make({ emailTo: ['a@x', 'b@x'].map(address => ({ pattern: '*', address })) });
    void collector.add(expiry(END, { runId: 'r1' }), say('new'));
    void collector.add(vulnerability(['rc4'], { runId: 'r1' }), say('worse'));
    assert.equal(mails.length, 0);
    const first = once(events, 'mail');
    await endRun('r1');
    await first;
    assert.deepEqual(
      mails.map(m => [m.to, m.topic]),
      [
        ['a@x', 'SSL certificates: 1 expiring, 1 vulnerable'],
        ['b@x', 'SSL certificates: 1 expiring, 1 vulnerable'],
      ],
    );
  });

  it('mails a run that belongs to no scan without waiting for an end', async () => {
    const first = once(events, 'mail');
    void make().add(expiry(END, { runId: 'own-1' }), say('new'));
    await first;
    assert.equal(mails.length, 1);
  });

  it('mails each Finding at once where asked to', () => {
    make({ emailMode: 'each' });
    void collector.add(expiry(END), say('new'));
    void collector.add(expiry(END), say('cleared'));
    assert.equal(mails.length, 2);
  });

  it('mails nothing that stands, and nothing to nobody', () => {
    void make({ emailMode: 'each' }).add(expiry(END), say('standing'));
    void make({ emailMode: 'each', emailTo: [] }).add(expiry(END), say('new'));
    assert.equal(mails.length, 0);
  });

  it('mails nothing once it is closed, and does not say that it had', async () => {
    let isMailed = false;
    const adding = make().add(expiry(END, { runId: 'r1' }), say('new'));
    void adding.then(() => (isMailed = true));
    collector.close();
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(mails.length, 0);
    assert.equal(isMailed, false);
  });
});
