import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { robot } from '../../lib/scan/probes/robot';
import { encryptPremaster } from '../../lib/scan/wire/bleichenbacher';
import { startHealthy, startTls } from '../lab/tls-servers';
import { attackLab, judge } from './handshake-support';

describe('premaster secrets in wrong padding', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const opened = (flaw: Parameters<typeof encryptPremaster>[1]): Buffer =>
    privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encryptPremaster(publicKey, flaw, 0x0303));
  const zeros = (message: Buffer): number[] => [...message.keys()].filter(at => message[at] === 0 && at < 128 - 46);

  it('are right where nothing is wrong', () => {
    const message = opened('correct');
    assert.equal(message.length, 128);
    assert.equal(message.toString('hex', 0, 2), '0002');
    assert.deepEqual(zeros(message), [0, 79]);
    assert.equal(message.toString('hex', 79, 82), '000303');
  });

  it('differ in the version', () => {
    const message = opened('wrong-version');
    assert.deepEqual(zeros(message), [0, 79]);
    assert.equal(message.toString('hex', 79, 82), '000202');
  });

  it('differ in the start', () => {
    const message = opened('wrong-start');
    assert.equal(message.toString('hex', 0, 2), '0017');
    assert.equal(message.toString('hex', 79, 82), '000303');
  });

  it('have no second zero byte', () => {
    const message = opened('no-zero');
    assert.equal(message.toString('hex', 0, 2), '0002');
    assert.equal(message.indexOf(0, 2), -1);
  });

  it('have it next to the end', () => {
    const message = opened('misplaced-zero');
    assert.equal(message.toString('hex', 0, 2), '0002');
    assert.equal(message.indexOf(0, 2), 126);
  });
});

describe('robot', function () {
  this.timeout(60_000);
  const lab = attackLab('Robot Root');
  const { up, flawed } = lab;

  const SHOWN = [
    ['an alert', { robot: 'alert' }, /alert handshake_failure before the Finished to a wrong start/],
    ['the alert that a wrong Finished gets', { robot: 'alert', robotAlert: 20 }, /bad_record_mac before the Finished/],
    ['closing', { robot: 'close' }, /closed before the Finished to a wrong start/],
    ['a reset', { robot: 'reset' }, /reset before the Finished to a wrong start/],
    ['silence', { robot: 'timeout' }, /alert bad_record_mac to a right one.*silence to a wrong start/],
  ] as const;
  for (const [how, flaws, evidence] of SHOWN) {
    it(`finds a server that shows wrong padding by ${how}`, async () => {
      const { verdict, detail } = await judge(await flawed(flaws), robot, { timeoutMs: 700 });
      assert.equal(verdict, 'vulnerable');
      assert.match(detail, evidence);
      assert.match(detail, /a weak oracle/);
    });
  }

  it('finds a server that shows one kind of wrong padding alone', async () => {
    const { verdict, detail } = await judge(await flawed({ robot: 'weak' }), robot, { timeoutMs: 700 });
    assert.equal(verdict, 'vulnerable');
    assert.match(detail, /alert handshake_failure before the Finished to one without a zero byte/);
    assert.match(detail, /alert bad_record_mac to a wrong start/);
  });

  it('clears a server that shows nothing, in five connections', async () => {
    const { verdict, connections } = await judge(await flawed({ robot: 'none' }), robot);
    assert.equal(verdict, 'ok');
    assert.equal(connections, 5);
  });

  for (const ciphers of ['AES128-SHA', 'AES256-GCM-SHA384', 'NULL-SHA256']) {
    it(`clears node:tls with ${ciphers}`, async () => {
      const server = await up(startTls({ ...lab.rsa, maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` }));
      const { verdict, connections } = await judge(server, robot);
      assert.equal(verdict, 'ok');
      assert.equal(connections, 5);
    });
  }

  it('does not apply to healthy servers, and makes no connection', async () => {
    for (const certificate of [lab.rsa, lab.ec]) {
      const { verdict, connections } = await judge(await up(startHealthy(certificate)), robot);
      assert.equal(verdict, 'not-applicable');
      assert.equal(connections, 0);
    }
  });

  it('clears a server that closes on any wrong Finished, and takes a right one', async () => {
    const { verdict, detail, connections } = await judge(await flawed({ padding: 'closing' }), robot);
    assert.equal(verdict, 'ok', detail);
    assert.match(detail, /alike: closed/);
    assert.equal(connections, 6);
  });

  it('cannot tell of a server that closes on any Finished', async () => {
    const { verdict, detail } = await judge(await flawed({ closes: 'on-finished' }), robot);
    assert.equal(verdict, 'cannot-tell', detail);
    assert.match(detail, /by closed, and no handshake came to its end: the handshake was closed/);
  });

  it('cannot tell where a certificate of the client is demanded first', async () => {
    const server = await up(
      startTls({ ...lab.rsa, maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:@SECLEVEL=0', requestCert: true }),
    );
    const { verdict, detail } = await judge(server, robot);
    assert.equal(verdict, 'cannot-tell');
    assert.match(detail, /after it asked for a certificate of the client: .* before the Finished/);
  });
});
