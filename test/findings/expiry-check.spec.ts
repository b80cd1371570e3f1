import assert from 'node:assert/strict';
import { once, EventEmitter } from 'node:events';
import { ExpiryCheck } from '../../lib/findings/expiry-check';
import { isOwnRun } from '../../lib/findings/own-run';
import { DEFAULT_EXPIRY_SETTINGS, type ExpirySettings } from '../../lib/findings/settings';
import type { Certificate } from '../../lib/model/certificate';
import type { CertDeskError } from '../../lib/model/errors';
import type { Finding } from '../../lib/model/finding';
import type { EndpointReport, RunSummary } from '../../lib/model/report';
import { openRepository } from '../../lib/repository/open';
import type { Repository } from '../../lib/repository/repository';
import { issue, makeCa, type IssuedCertificate } from '../lab/certificates';
import { certificate, endpoint, report, unreachable } from './samples';

const DAY_MS = 24 * 60 * 60 * 1000;
const START = Date.parse('2026-06-01T08:00:00.000Z');

/** Ends after `days`, counted from the first day of a test. */
function ending(serial: string, days: number, over: Partial<Certificate> = {}): Certificate {
  return certificate(serial, { notAfter: new Date(START + days * DAY_MS).toISOString(), ...over });
}

function summary(runId: string, over: Partial<RunSummary> = {}): RunSummary {
  const at = new Date(START).toISOString();
  const none = { endpoints: 0, scanned: 0, partial: 0, unreachable: 0, vulnerable: 0, connections: 0 };
  return {
    runId,
    startedAt: at,
    finishedAt: at,
    stopped: false,
    forced: false,
    ...none,
    unreachableEndpoints: [],
    ...over,
  };
}

describe('ExpiryCheck', () => {
  let repository: Repository;
  let now: Date;
  let told: { findings: Finding[]; runId: string }[];
  let errors: CertDeskError[];
  let events: EventEmitter;
  const checks: ExpiryCheck[] = [];
  let check: ExpiryCheck;

  function makeCheck(settings: Partial<ExpirySettings> = {}): ExpiryCheck {
    const made = new ExpiryCheck({
      repository,
      settings: { ...DEFAULT_EXPIRY_SETTINGS, ...settings },
      now: () => now,
      settleMs: 20,
      onFindings: (findings, { runId }) => {
        told.push({ findings, runId });
        events.emit('told');
      },
      onError: error => {
        errors.push(error);
        events.emit('told');
      },
    });
    checks.push(made);
    return made;
  }

  beforeEach(async () => {
    repository = await openRepository({ kind: 'sqlite', path: ':memory:' });
    now = new Date(START);
    told = [];
    errors = [];
    events = new EventEmitter();
    check = makeCheck();
  });
  afterEach(async () => {
    for (const each of checks.splice(0)) each.close();
    await repository.close();
  });

  /** A whole scan through the check, with the sequence that SSL Scan sends; resolves to what it told. */
  async function run(runId: string, looks: EndpointReport[], through = check): Promise<Finding[]> {
    told.splice(0);
    for (const [index, look] of looks.entries()) {
      const count = index === looks.length - 1 ? { count: looks.length } : {};
      await through.add(look, { runId, parts: { id: runId, index, ...count } });
    }
    assert.equal(told.length, 1, 'one telling');
    assert.equal(told[0]?.runId, runId);
    return told[0]?.findings ?? [];
  }
  const look = (runId: string, cert: Certificate | null, port = 443): EndpointReport => {
    const parts = { runId, at: now.toISOString(), endpoint: endpoint(port) };
    return cert === null ? unreachable(parts) : report({ ...parts, certificate: cert });
  };
  const nextDay = (days = 1): void => {
    now = new Date(now.getTime() + days * DAY_MS);
  };
  const states = (findings: Finding[]): string[] => findings.map(f => `${f.certificate.serialNumber} ${f.state}`);

  it('tells 500 places of one certificate in one Finding, sorted by name', async () => {
    const cert = ending('0A', 5);
    const looks = Array.from({ length: 500 }, (_, n) =>
      report({
        runId: 'r1',
        at: now.toISOString(),
        certificate: cert,
        endpoint: endpoint(443, { ip: `192.0.${2 + Math.floor(n / 250)}.${n % 250}` }),
      }),
    );
    const [finding, ...more] = await run('r1', looks);
    assert.deepEqual(more, []);
    assert.deepEqual([finding?.kind, finding?.state, finding?.daysLeft, finding?.runId], ['expiry', 'active', 5, 'r1']);
    assert.match(finding?.key ?? '', /^cd-exp-[a-z0-9]{24}$/);
    const names = finding?.endpoints.map(e => e.name) ?? [];
    assert.equal(new Set(names).size, 500);
    assert.deepEqual(names, names.toSorted());
  });

  it('says at once whether a message is not due', async () => {
    const due = await check.add(look('r1', ending('0A', 30)), { runId: 'r1', parts: { id: 'r1', index: 0 } });
    const notDue = await check.add(look('r1', ending('0B', 31), 8443), { runId: 'r1', parts: { id: 'r1', index: 1 } });
    assert.deepEqual([due, notDue], [{ notDue: false }, { notDue: true }]);
  });

  it('tells once the run has ended when a filter let only a part through', async () => {
    await repository.beginRun({ runId: 'r1', startedAt: now.toISOString(), forced: true });
    await check.add(look('r1', ending('0A', 5)), { runId: 'r1', parts: { id: 'r1', index: 7 } });
    assert.equal(told.length, 0);
    const telling = once(events, 'told');
    await repository.endRun(summary('r1', { forced: true }));
    await telling;
    assert.deepEqual(states(told[0]?.findings ?? []), ['0A active']);
    assert.equal(told[0]?.findings[0]?.forced, true);
  });

  it('tells what comes after its run has ended, each certificate once', async () => {
    await repository.endRun(summary('r1'));
    for (const port of [443, 8443]) {
      const telling = once(events, 'told');
      await check.add(look('r1', ending('0A', 5), port), { runId: 'r1' });
      await telling;
    }
    assert.deepEqual(
      told.map(({ findings }) => findings.length),
      [1, 0],
    );
  });

  it('takes a report without a run for a run of its own', async () => {
    const answer = await check.add(look('r1', ending('0A', 5)), {});
    assert.deepEqual(answer, { notDue: false });
    assert.equal(told.length, 1);
    assert.equal(isOwnRun(told[0]?.runId ?? ''), true);
    assert.equal(told[0]?.findings[0]?.runId, told[0]?.runId);
  });

  it('keeps the last known certificate of a place that is not reached', async () => {
    await run('r1', [look('r1', ending('0A', 40))]);
    nextDay(15);
    const [finding] = await run('r2', [look('r2', null)]);
    assert.deepEqual([finding?.state, finding?.daysLeft, finding?.endpoints.length], ['active', 25, 1]);
    const answer = await check.add(look('r3', null), {});
    assert.deepEqual(answer, { notDue: false });
  });

  it('goes on telling after the end', async () => {
    const [finding] = await run('r1', [look('r1', ending('0A', -3))]);
    assert.deepEqual([finding?.state, finding?.daysLeft], ['active', -3]);
  });

  it('is quiet in the first run after a renewal, cleared in the second and for seven days', async () => {
    const [before] = await run('r1', [look('r1', ending('0A', 5))]);
    const renewed = ending('0B', 90);
    nextDay();
    assert.deepEqual(await run('r2', [look('r2', renewed)]), []);
    nextDay();
    const [cleared] = await run('r3', [look('r3', renewed)]);
    assert.deepEqual([cleared?.key, cleared?.state], [before?.key, 'cleared']);
    assert.equal(cleared?.replacedBy?.serialNumber, '0B');
    assert.deepEqual(
      cleared?.endpoints.map(e => e.port),
      [443],
    );
    nextDay(7);
    assert.deepEqual(states(await run('r4', [look('r4', renewed)])), ['0A cleared']);
    nextDay();
    assert.deepEqual(await run('r5', [look('r5', renewed)]), []);
  });

  it('does not count a run that did not reach the place towards clearing', async () => {
    await run('r1', [look('r1', ending('0A', 5))]);
    nextDay();
    await run('r2', [look('r2', ending('0B', 90))]);
    nextDay();
    assert.deepEqual(await run('r3', [look('r3', null)]), []);
    nextDay();
    assert.deepEqual(states(await run('r4', [look('r4', ending('0B', 90))])), ['0A cleared']);
  });

  it('is quiet while old and new certificates alternate, and active again when the old one stays', async () => {
    const [old, renewed] = [ending('0A', 9), ending('0B', 90)];
    const tellings: string[][] = [];
    for (const [index, cert] of [old, renewed, old, renewed, old, old].entries()) {
      tellings.push(states(await run(`r${index}`, [look(`r${index}`, cert)])));
      nextDay();
    }
    assert.deepEqual(tellings, [['0A active'], [], [], [], [], ['0A active']]);
  });

  it('stays active by the places that still serve it, and clears when the last has gone', async () => {
    const [old, renewed] = [ending('0A', 20), ending('0B', 90)];
    await run('r1', [look('r1', old), look('r1', old, 8443)]);
    nextDay();
    const [one] = await run('r2', [look('r2', renewed), look('r2', old, 8443)]);
    assert.deepEqual([one?.state, one?.endpoints.map(e => e.port)], ['active', [8443]]);
    nextDay();
    assert.deepEqual(await run('r3', [look('r3', renewed), look('r3', renewed, 8443)]), []);
    nextDay();
    assert.deepEqual(states(await run('r4', [look('r4', renewed), look('r4', renewed, 8443)])), ['0A cleared']);
  });

  it('clears also after a restart', async () => {
    await run('r1', [look('r1', ending('0A', 5))]);
    nextDay();
    await run('r2', [look('r2', ending('0B', 90))], makeCheck());
    nextDay();
    assert.deepEqual(states(await run('r3', [look('r3', ending('0B', 90))], makeCheck())), ['0A cleared']);
  });

  it('clears nothing in a run that was stopped, neither for the first time nor again', async () => {
    const renewed = ending('0B', 90);
    await run('r1', [look('r1', ending('0A', 5))]);
    nextDay();
    await run('r2', [look('r2', renewed)]);
    const cut = (runId: string): EndpointReport =>
      unreachable({ runId, at: now.toISOString(), endpoint: endpoint(8443) }, 'STOPPED');
    nextDay();
    assert.deepEqual(await run('r3', [cut('r3'), look('r3', renewed)]), []);
    nextDay();
    assert.deepEqual(states(await run('r4', [look('r4', renewed)])), ['0A cleared']);
    nextDay();
    assert.deepEqual(await run('r5', [look('r5', renewed), cut('r5')]), []);
    assert.deepEqual(states(await run('r6', [look('r6', renewed)])), ['0A cleared']);
  });

  for (const hasAllParts of [true, false]) {
    const how = hasAllParts ? 'whose sequence is whole' : 'of which only a part came';
    it(`clears nothing in a run ${how} when its summary says that it was stopped`, async () => {
      const renewed = ending('0B', 90);
      await run('r1', [look('r1', ending('0A', 5))]);
      nextDay();
      await run('r2', [look('r2', renewed)]);
      nextDay();
      told.splice(0);
      await repository.endRun(summary('r3', { stopped: true }));
      const telling = once(events, 'told');
      const count = hasAllParts ? { count: 1 } : {};
      await check.add(look('r3', renewed), { runId: 'r3', parts: { id: 'r3', index: 0, ...count } });
      await telling;
      assert.deepEqual(told, [{ findings: [], runId: 'r3' }]);
      assert.deepEqual(states(await run('r4', [look('r4', renewed)])), ['0A cleared']);
    });
  }

  it('clears nothing that never was told', async () => {
    await run('r1', [look('r1', ending('0A', 60))]);
    for (const runId of ['r2', 'r3']) {
      nextDay();
      assert.deepEqual(await run(runId, [look(runId, ending('0B', 90))]), []);
    }
  });

  it('judges an RSA and an ECDSA certificate each', async () => {
    const ecdsa = ending('EC', 7, { keyType: 'EC' });
    const both = report({ runId: 'r1', at: now.toISOString(), certificate: ending('0A', 5), others: [ecdsa] });
    assert.deepEqual(states(await run('r1', [both])).toSorted(), ['0A active', 'EC active']);
  });

  it('clears a certificate beside another one only by looks that could have shown it', async () => {
    const [rsa, ecdsa] = [ending('0A', 5), ending('EC', 90, { keyType: 'EC' })];
    const seen = (runId: string, over: Partial<Parameters<typeof report>[0]> = {}): EndpointReport =>
      report({ runId, at: now.toISOString(), certificate: ecdsa, ...over });
    await run('r1', [seen('r1', { others: [rsa] })]);
    for (const runId of ['r2', 'r3', 'r4']) {
      nextDay();
      const blind = seen(runId, { isIncomplete: true, status: 'partial' });
      assert.deepEqual(states(await run(runId, [blind])), ['0A active'], runId);
    }
    nextDay();
    assert.deepEqual(await run('r5', [seen('r5', { status: 'partial' })]), []);
    nextDay();
    assert.deepEqual(states(await run('r6', [seen('r6', { status: 'partial' })])), ['0A cleared']);
  });

  it('finds a certificate due that its place could not be asked for again', async () => {
    const [rsa, ecdsa] = [ending('0A', 31), ending('EC', 90, { keyType: 'EC' })];
    await run('r1', [report({ runId: 'r1', at: now.toISOString(), certificate: ecdsa, others: [rsa] })]);
    nextDay(2);
    const blind = report({ runId: 'r2', at: now.toISOString(), certificate: ecdsa, isIncomplete: true });
    assert.deepEqual(states(await run('r2', [blind])), ['0A active']);
  });

  it('tells two keys under one serial number as two certificates', async () => {
    const twin = ending('0A', 6, { fingerprint256: 'FP:TWIN' });
    const told = await run('r1', [look('r1', ending('0A', 5)), look('r1', twin, 8443)]);
    assert.equal(new Set(told.map(f => f.key)).size, 2);
  });

  it('leaves excluded places and certificates out and says they are not due', async () => {
    const picky = makeCheck({ exclude: ['192.0.2.7'] });
    assert.deepEqual(await picky.add(look('r1', ending('0A', 5)), {}), { notDue: true });
    assert.deepEqual(told[0]?.findings, []);
  });

  it('judges every certificate of the repository as a run of its own', async () => {
    for (const [port, cert] of [
      [443, ending('0A', 5)],
      [8443, ending('0B', 90)],
      [9443, ending('0A', 5)],
    ] as const) {
      repository.record(look('r1', cert, port));
    }
    const findings = await check.judgeAll(true);
    assert.deepEqual(states(findings), ['0A active']);
    assert.deepEqual(
      findings[0]?.endpoints.map(e => e.port),
      [443, 9443],
    );
    assert.equal(findings[0]?.forced, true);
    assert.equal(isOwnRun(findings[0]?.runId ?? ''), true);
    assert.equal(told.length, 0);
  });

  it('refuses what it can not read, saying what to send', async () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
    const half = { ...look('r1', ending('0A', 5)), endpoint: { name: 'x' } };
    for (const payload of [
      null,
      undefined,
      7,
      {},
      [],
      'hello',
      Buffer.from('hello'),
      broken,
      half,
      [half],
      { kind: 'expiry' },
    ]) {
      await assert.rejects(check.add(payload, { topic: 'x' }), { code: 'BAD_MESSAGE', message: /payload/ });
    }
    assert.equal(told.length, 0);
  });

  const spoilt: [string, (sound: EndpointReport) => unknown][] = [
    ['STARTTLS as an object', r => ({ ...r, endpoint: { ...r.endpoint, starttls: {} } })],
    ['STARTTLS as true', r => ({ ...r, endpoint: { ...r.endpoint, starttls: true } })],
    ['a port that is no number', r => ({ ...r, endpoint: { ...r.endpoint, port: Number.NaN } })],
    ['half a port', r => ({ ...r, endpoint: { ...r.endpoint, port: 443.5 } })],
    ['a port beyond the last', r => ({ ...r, endpoint: { ...r.endpoint, port: 65_536 } })],
    ['a port as text', r => ({ ...r, endpoint: { ...r.endpoint, port: '443' } })],
    ['an unknown status', r => ({ ...r, status: 'fine' })],
    ['no stages', r => ({ ...r, stages: {} })],
    ['a stage that is text', r => ({ ...r, stages: { ...r.stages, tcp: 'ok' } })],
    ['a protocol too few', r => ({ ...r, protocols: { SSLv2: 'refused' } })],
    ['a check without a verdict', r => ({ ...r, checks: [{ id: 'rc4' }] })],
    ['a suite without a class', r => ({ ...r, ciphers: [{ ...r.ciphers[0], class: undefined }] })],
    ['a BigInt beside a suite', r => ({ ...r, ciphers: [{ ...r.ciphers[0], extra: 10n }] })],
    ['a serial number that is a number', r => ({ ...r, certificate: { ...r.certificate, serialNumber: 10 } })],
    ['a certificate without a subject', r => ({ ...r, certificate: { ...r.certificate, subject: undefined } })],
    ['another certificate that is null', r => ({ ...r, otherCertificates: [null] })],
  ];
  for (const [what, spoil] of spoilt) {
    it(`refuses a report with ${what}, and the repository goes on`, async () => {
      const sound = look('r1', ending('0A', 5));
      await assert.rejects(check.add(spoil(sound), {}), { code: 'BAD_MESSAGE', message: /payload/ });
      assert.deepEqual(await repository.endpoints(), []);
      assert.deepEqual(await check.add(JSON.parse(JSON.stringify(sound)), {}), { notDue: false });
    });
  }

  it('refuses a report that holds itself', async () => {
    const circle: Record<string, unknown> = { ...look('r1', ending('0A', 5)) };
    circle['self'] = circle;
    await assert.rejects(check.add(circle, {}), { code: 'BAD_MESSAGE' });
  });

  it('takes a report whose endpoint says nothing of STARTTLS', async () => {
    const { starttls: _, ...rest } = endpoint();
    const answer = await check.add({ ...look('r1', ending('0A', 5)), endpoint: rest }, {});
    assert.deepEqual(answer, { notDue: false });
  });

  it('says REPOSITORY when a run can not be judged', async () => {
    await check.add(look('r1', ending('0A', 5)), { runId: 'r1' });
    const telling = once(events, 'told');
    await repository.endRun(summary('r1'));
    const failing = repository.findings.bind(repository);
    repository.findings = () => Promise.reject(new Error('disk full'));
    await telling;
    repository.findings = failing;
    assert.deepEqual(
      errors.map(error => [error.code, error.message]),
      [['REPOSITORY', 'disk full']],
    );
  });

  it('tells nothing after close', async () => {
    await check.add(look('r1', ending('0A', 5)), { runId: 'r1' });
    check.close();
    await repository.endRun(summary('r1'));
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(told.length, 0);
  });

  describe('with certificate files', () => {
    let near: IssuedCertificate;
    let far: IssuedCertificate;
    before(async () => {
      const ca = await makeCa('Test CA');
      const notBefore = new Date(START - 80 * DAY_MS);
      const options = { keyType: 'ec256', notBefore } as const;
      near = await issue(ca, { ...options, commonName: 'near.example', notAfter: new Date(START + 10 * DAY_MS) });
      far = await issue(ca, { ...options, commonName: 'far.example', notAfter: new Date(START + 90 * DAY_MS) });
    });
    const der = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

    it('takes PEM text, its place is the topic', async () => {
      assert.deepEqual(await check.add(near.cert, { topic: 'web.pem', filename: '/etc/x.pem' }), { notDue: false });
      const [finding] = told[0]?.findings ?? [];
      assert.equal(finding?.certificate.commonName, 'near.example');
      assert.deepEqual(finding?.endpoints, [{ domain: 'web.pem', ip: '', port: 0, starttls: null, name: 'web.pem' }]);
    });

    it('takes a PEM buffer, its place is the file name', async () => {
      await check.add(Buffer.from(near.cert), { topic: '', filename: '/etc/near.pem' });
      assert.deepEqual(
        told[0]?.findings[0]?.endpoints.map(e => e.name),
        ['/etc/near.pem'],
      );
    });

    it('takes DER and says when it is not due', async () => {
      assert.deepEqual(await check.add(der(near.cert), { topic: 'a' }), { notDue: false });
      assert.deepEqual(await check.add(der(far.cert), { topic: 'b' }), { notDue: true });
    });

    it('judges every block of a file, also beside one that ends later', async () => {
      await check.add(`${far.cert}\n${near.cert}`, { topic: 'both.pem' });
      assert.deepEqual(
        told[0]?.findings.map(f => f.certificate.commonName),
        ['near.example'],
      );
    });

    it('takes an array of files and reports', async () => {
      await check.add([near.cert, look('r1', ending('0A', 5))], { topic: 'web.pem' });
      assert.deepEqual(told[0]?.findings.map(f => f.certificate.commonName).toSorted(), [
        'near.example',
        'shop.example',
      ]);
    });

    it('clears a file in the second reading after it was replaced', async () => {
      const tellings: string[][] = [];
      for (const pem of [near.cert, far.cert, far.cert]) {
        await check.add(pem, { topic: 'web.pem' });
        tellings.push(told.at(-1)?.findings.map(f => f.state) ?? []);
        nextDay();
      }
      assert.deepEqual(tellings, [['active'], [], ['cleared']]);
    });
  });
});
