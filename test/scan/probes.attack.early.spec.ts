import assert from 'node:assert/strict';
import { ccsInjection } from '../../lib/scan/probes/ccs-injection';
import { heartbleed } from '../../lib/scan/probes/heartbleed';
import type { Verdict } from '../../lib/model/report';
import type { Flaws } from '../lab/flawed-tls';
import { startHealthy } from '../lab/tls-servers';
import { attackLab, judge } from './handshake-support';

type Expectation = [what: string, flaws: Flaws, verdict: Verdict, evidence: RegExp, connections: number];

describe('checks of what comes in the middle of a handshake', function () {
  this.timeout(60_000);
  const lab = attackLab('Early Root');

  describe('heartbleed', () => {
    for (const [what, flaws, verdict, evidence, most] of [
      ['takes no heartbeats', {}, 'ok', /takes no heartbeats/, 0],
      ['bleeds', { heartbeat: 'bleeding' }, 'vulnerable', /CVE-2014-0160/, 1],
      ['drops a false one', { heartbeat: 'bounded' }, 'ok', /dropped .* answered a correct one/, 1],
      ['closes on a false one', { heartbeat: 'closing' }, 'ok', /completes a handshake.*closed/, 2],
      ['closes inside a handshake, and bleeds after', { heartbeat: 'late-bleeding' }, 'vulnerable', /CVE-2014-0160/, 2],
      ['never answers', { heartbeat: 'ignoring' }, 'cannot-tell', /silence\), nor after one/, 3],
      [
        'closes on anything',
        { heartbeat: 'bounded', closes: 'on-anything' },
        'cannot-tell',
        /\(closed\), and no handshake came to its end: the handshake was closed/,
        3,
      ],
      [
        'closes after each handshake',
        { heartbeat: 'closing', closes: 'after-handshake' },
        'cannot-tell',
        /ends connections after a handshake by itself/,
        2,
      ],
      [
        'wants a certificate of the client',
        { heartbeat: 'closing', wantsCertificate: true },
        'cannot-tell',
        /alert handshake_failure after it asked for a certificate of the client/,
        3,
      ],
    ] as Expectation[]) {
      it(`says ${verdict} of a server that ${what}, in ${most} connections`, async () => {
        const judged = await judge(await lab.flawed(flaws), heartbleed);
        assert.equal(judged.verdict, verdict, judged.detail);
        assert.match(judged.detail, evidence);
        assert.equal(judged.connections, most);
      });
    }
  });

  describe('ccs-injection', () => {
    for (const [what, flaws, verdict, evidence, most] of [
      ['answers by an alert', {}, 'ok', /alert unexpected_message/, 1],
      ['takes it', { ccs: 'accepted' }, 'vulnerable', /CVE-2014-0224/, 2],
      ['closes on it', { ccs: 'closes' }, 'ok', /ended the connection, and leaves it open while nothing is sent/, 2],
      ['closes by itself', { closes: 'by-itself', ccs: 'accepted' }, 'cannot-tell', /not only then/, 2],
    ] as Expectation[]) {
      it(`says ${verdict} of a server that ${what}, in ${most} connections`, async () => {
        const judged = await judge(await lab.flawed(flaws), ccsInjection);
        assert.equal(judged.verdict, verdict, judged.detail);
        assert.match(judged.detail, evidence);
        assert.equal(judged.connections, most);
      });
    }

    it('clears node:tls in one connection', async () => {
      const { verdict, connections } = await judge(await lab.up(startHealthy(lab.rsa)), ccsInjection);
      assert.equal(verdict, 'ok');
      assert.equal(connections, 1);
    });
  });
});
