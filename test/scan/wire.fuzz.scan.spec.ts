import assert from 'node:assert/strict';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECK_IDS } from '../../lib/model/checks';
import { issue, makeCa } from '../lab/certificates';
import { startFlawedTls } from '../lab/flawed-tls';
import { startHealthy, startScripted, startWeak, type LabServer } from '../lab/tls-servers';
import { fuzzAsync, mutate, roundsOf, TLS, type Random } from './fuzz';
import { der, scan } from './scan-support';
import { startScriptedTls, type ScriptedTls } from './scripted-tls';

/** Scans take a while each: a hundred, a few hundred where the parsers get a million rounds. */
const SCANS = Math.min(500, roundsOf(1));
const AT_ONCE = 16;

/** Passes on what a server says, and changes some of it; one in five leaves little that can be read. */
function startMutating(server: LabServer & Partial<ScriptedTls>, random: Random): Promise<LabServer> {
  const outOf = 2 + random.below(10);
  const times = random.below(5) === 0 ? 8 : 1;
  return startScripted(socket => {
    const onward = net.connect(server.port, server.host);
    onward.on('error', () => socket.destroy());
    onward.on('end', () => socket.end());
    onward.on('data', chunk => {
      const isChanged = times > 1 || random.below(outOf) === 0;
      let bytes: Buffer = chunk;
      for (let time = 0; isChanged && time < times; time += 1) bytes = mutate(bytes, random, TLS);
      if (socket.writable) socket.write(bytes);
    });
    // the scripted server understands hellos only
    if (server.hellos === undefined) socket.on('data', chunk => onward.write(chunk));
    else socket.once('data', chunk => onward.write(chunk)).resume();
    socket.on('close', () => onward.destroy());
  });
}

describe('whole scans of servers whose answers are mutated', function () {
  this.timeout(Math.max(120_000, SCANS * 5000));
  let servers: LabServer[];
  before(async () => {
    const ca = await makeCa('Fuzz Root');
    const issued = await issue(ca, { commonName: 'a.example', dns: ['a.example'] });
    servers = [
      await startHealthy(issued),
      await startWeak(issued),
      await startFlawedTls({ ...issued, flaws: { heartbeat: 'bleeding', renegotiation: 'accepted' } }),
      await startFlawedTls({ ...issued, versions: ['TLSv1'], flaws: { padding: 'distinct-alert', robot: 'alert' } }),
      await startScriptedTls({
        versions: [0x0300, 0x0301, 0x0303],
        suites: [0xc02f, 0x0005, 0x0003, 0x000a, 0x0016],
        chain: [der(issued.cert), der(ca.cert)],
        primeBytes: 128,
        sslv2Kinds: ['010080', '0700c0'],
      }),
    ];
  });
  after(() => Promise.all(servers.map(server => server.close())));

  it(`end in a report and leave no connection behind, ${SCANS} times`, async () => {
    const seen = new Set<string>();
    await fuzzAsync({ rounds: SCANS, atOnce: AT_ONCE }, async random => void seen.add(await scanOnce(random)));
    if (SCANS < 50) return; // a failure that is replayed
    assert.deepEqual([...seen].sort(), ['partial', 'scanned', 'unreachable'], 'all that can come of a scan came');
  });

  async function scanOnce(random: Random): Promise<string> {
    const mutating = await startMutating(random.pick(servers), random);
    try {
      const profile = random.pick(['quick', 'full'] as const);
      const report = await scan(mutating, { domain: 'a.example', timeoutMs: 150, profile });
      assert.deepEqual(structuredClone(report), report, 'it can go to another thread');
      assert.equal(report.checks.length, CHECK_IDS.length);
      assert.ok(report.checks.every(check => typeof check.detail === 'string' || check.verdict === 'skipped'));
      assert.ok(report.durationMs < 60_000, `${report.durationMs} ms`);
      assert.ok(mutating.connections <= report.connections, 'every connection was counted');
      for (let tries = 0; mutating.openConnections > 0 && tries < 100; tries += 1) await sleep(20);
      assert.equal(mutating.openConnections, 0);
      return report.status;
    } finally {
      await mutating.close();
    }
  }
});
