import assert from 'node:assert/strict';
import { readFields } from '../../lib/scan/revocation/fields';
import { judgeAnswer, type OcspJudgement } from '../../lib/scan/revocation/ocsp-answer';
import {
  inHours,
  issueLab,
  ocspAnswer,
  ocspError,
  type LabCertificate,
  type LabCertificateOptions,
  type OcspOptions,
  type OcspSingle,
} from '../lab/revocation';

const REVOKED_AT = new Date('2026-01-02T03:04:05Z');

describe('an OCSP answer', () => {
  const ca = issueLab(null, { commonName: 'OCSP Root', role: 'authority' });
  const rsaCa = issueLab(null, { commonName: 'OCSP RSA Root', role: 'authority', keyKind: 'rsa' });
  const stranger = issueLab(null, { commonName: 'Stranger', role: 'authority' });
  const leaf = issueLab(ca, { commonName: 'a.example', serial: '00f00d' });
  const responder = issueLab(ca, { commonName: 'Responder', role: 'responder' });

  function judge(der: Buffer, issuer = ca, now = new Date()): Promise<OcspJudgement> {
    return judgeAnswer(der, { leaf: readFields(leaf.der), issuer: readFields(issuer.der), now });
  }

  function answer(single: Partial<OcspSingle> = {}, options: Partial<OcspOptions> = {}): Buffer {
    return ocspAnswer({ issuer: ca, singles: [{ serial: leaf.serial, ...single }], ...options });
  }

  function delegated(options: Partial<LabCertificateOptions>, issuer: LabCertificate = ca): Buffer {
    const signer = issueLab(issuer, { commonName: 'Delegated', role: 'responder', ...options });
    return answer({}, { signer, certificates: [signer] });
  }

  for (const [what, make] of [
    ['signed by the issuer', () => answer()],
    ['that names its signer by key', () => answer({}, { responderBy: 'key' })],
    ['that hashes the issuer with SHA-256', () => answer({ hashedWith: 'sha256' })],
    ['signed by one whom the issuer lets answer', () => answer({}, { signer: responder, certificates: [responder] })],
    [
      'of such a one by key, after a stranger’s certificate',
      () => answer({}, { signer: responder, responderBy: 'key', certificates: [stranger, responder] }),
    ],
    ['with the issuer’s own certificate along', () => answer({}, { certificates: [ca] })],
    ['about several certificates', () => answer({}, { singles: [{ serial: '01' }, { serial: leaf.serial }] })],
    ['of a clock that is two minutes ahead', () => answer({ thisUpdate: inHours(2 / 60) })],
    ['that expired two minutes ago', () => answer({ nextUpdate: inHours(-2 / 60) })],
    ['without an end, an hour old', () => answer({ nextUpdate: null })],
  ] as [string, () => Buffer][]) {
    it(`counts ${what}`, async () => {
      assert.equal((await judge(make())).kind, 'good');
    });
  }

  it('counts with an RSA signature', async () => {
    const own = issueLab(rsaCa, { commonName: 'b.example' });
    const der = ocspAnswer({ issuer: rsaCa, singles: [{ serial: own.serial }] });
    const question = { leaf: readFields(own.der), issuer: readFields(rsaCa.der), now: new Date() };
    assert.equal((await judgeAnswer(der, question)).kind, 'good');
  });

  it('says until when it holds', async () => {
    const nextUpdate = inHours(3);
    const said = await judge(answer({ nextUpdate }));
    assert.deepEqual(said, { kind: 'good', detail: 'good', validUntil: nextUpdate.getTime() });
  });

  it('holds a day where it does not say how long', async () => {
    const thisUpdate = inHours(-2);
    const said = await judge(answer({ nextUpdate: null, thisUpdate }));
    assert.deepEqual(said, { kind: 'good', detail: 'good', validUntil: thisUpdate.getTime() + 24 * 60 * 60 * 1000 });
  });

  it('says since when a certificate is revoked, and why', async () => {
    const nextUpdate = inHours(1);
    const said = await judge(answer({ status: { revokedAt: REVOKED_AT, reason: 1 }, nextUpdate }));
    assert.deepEqual(said, {
      kind: 'revoked',
      detail: 'revoked since 2026-01-02T03:04:05.000Z (its key was compromised)',
      validUntil: nextUpdate.getTime(),
    });
    const silent = await judge(answer({ status: { revokedAt: REVOKED_AT }, nextUpdate }));
    assert.equal(silent.detail, 'revoked since 2026-01-02T03:04:05.000Z');
    const held = await judge(answer({ status: { revokedAt: REVOKED_AT, reason: 6 } }));
    assert.equal(held.detail, 'revoked since 2026-01-02T03:04:05.000Z (it is on hold)');
  });

  for (const [reason, what, make] of [
    ['it says tryLater', 'tryLater', () => ocspError(3)],
    ['it says unauthorized', 'unauthorized', () => ocspError(6)],
    ['it says status 9', 'a status that nobody knows', () => ocspError(9)],
    ['it says that the certificate is unknown', 'unknown', () => answer({ status: 'unknown' })],
    ['it is for another certificate', 'another serial number', () => answer({ serial: '00f00e' })],
    [
      'it is for another certificate',
      'the same serial number of another issuer',
      () => ocspAnswer({ issuer: stranger, singles: [{ serial: leaf.serial }], signer: ca }),
    ],
    [
      'it is for another certificate',
      'the same serial number of another key of the issuer',
      () => ocspAnswer({ issuer: { ...stranger, name: ca.name }, singles: [{ serial: leaf.serial }], signer: ca }),
    ],
    ['it is malformed', 'garbage', () => Buffer.from('<html>an error page</html>')],
    ['it is malformed', 'nothing', () => Buffer.of()],
    ['it is malformed', 'a byte after its end', () => Buffer.concat([answer(), Buffer.of(0)])],
    ['it is malformed', 'half of itself', () => answer().subarray(0, 100)],
    ['it is too large', 'a megabyte', () => Buffer.alloc(1024 * 1024)],
    ['its signature does not fit', 'a signature with one bit changed', () => flipLast(answer())],
    [
      'its signature does not fit',
      'the issuer’s name and the key of another',
      () => answer({}, { signer: { ...stranger, name: ca.name } }),
    ],
    ['it is signed by nobody whom the issuer lets answer', 'a stranger', () => answer({}, { signer: stranger })],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a stranger with his certificate along',
      () => answer({}, { signer: stranger, certificates: [stranger] }),
    ],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a server’s certificate of the issuer',
      () => delegated({ role: 'server' }),
    ],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a responder of another issuer',
      () => delegated({}, stranger),
    ],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a responder of one who calls himself as the issuer does',
      () => delegated({}, { ...stranger, name: ca.name }),
    ],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a responder whose certificate has expired',
      () => delegated({ notAfter: inHours(-1) }),
    ],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a responder whose key may not sign',
      () => delegated({ keyUsage: 0x20 }),
    ],
    [
      'it is signed by nobody whom the issuer lets answer',
      'a responder whose certificate is not along',
      () => answer({}, { signer: responder }),
    ],
  ] as [string, string, () => Buffer][]) {
    it(`does not count: ${what}`, async () => {
      assert.deepEqual(await judge(make()), { kind: 'unusable', detail: reason });
    });
  }

  it('does not count when it has expired, or is of tomorrow', async () => {
    const now = new Date('2026-03-02T12:00:00Z');
    const at = (text: string): Date => new Date(`2026-03-${text}:00:00Z`);
    const expired = await judge(answer({ thisUpdate: at('01T00'), nextUpdate: at('02T11') }), ca, now);
    assert.deepEqual(expired, { kind: 'unusable', detail: 'it expired at 2026-03-02T11:00:00.000Z' });
    const future = await judge(answer({ thisUpdate: at('02T13'), nextUpdate: at('03T13') }), ca, now);
    assert.deepEqual(future, { kind: 'unusable', detail: 'it holds from 2026-03-02T13:00:00.000Z on only' });
    const endless = await judge(answer({ thisUpdate: at('01T11'), nextUpdate: null }), ca, now);
    assert.deepEqual(endless, { kind: 'unusable', detail: 'it expired at 2026-03-02T11:00:00.000Z' });
  });

  it('of a revoked certificate does not count either when it has expired', async () => {
    const status = { revokedAt: REVOKED_AT };
    const said = await judge(answer({ status, thisUpdate: inHours(-48), nextUpdate: inHours(-24) }));
    assert.equal(said.kind, 'unusable');
  });
});

function flipLast(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}
