import assert from 'node:assert/strict';
import { findStarttls } from '../../lib/scan/starttls';
import { StarttlsError } from '../../lib/scan/starttls/starttls';
import { cut, fuzz, mutate, PLAIN, roundsOf, TEXT, type Anatomy, type Random } from './fuzz';

/** What a server says on the way to TLS, answer by answer. */
interface Script {
  protocol: string;
  answers: readonly Buffer[];
  anatomy: Anatomy;
}

const text = (protocol: string, ...answers: string[]): Script => ({
  protocol,
  answers: answers.map(answer => Buffer.from(answer, 'latin1')),
  anatomy: TEXT,
});
const hex = (protocol: string, ...answers: string[]): Script => ({
  protocol,
  answers: answers.map(answer => Buffer.from(answer, 'hex')),
  anatomy: PLAIN,
});

const SCRIPTS: readonly Script[] = [
  text('smtp', '220 a.example ESMTP\r\n', '250-a.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n', '220 Go ahead\r\n'),
  text('imap', '* OK ready\r\n', '* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n', 'a2 OK begin\r\n'),
  text('imap', '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n', '* OK still here\r\na2 OK begin\r\n'),
  text('pop3', '+OK ready\r\n', '+OK begin\r\n'),
  text('pop3', '+OK ready\r\n', '-ERR no\r\n', '+OK list\r\nUSER\r\nSTLS\r\n.\r\n'),
  text('ftp', '220-a.example\r\n welcome\r\n220 ready\r\n', '234 begin\r\n'),
  text('nntp', '200 ready\r\n', '382 begin\r\n'),
  text('sieve', '"IMPLEMENTATION" {5}\r\na {b}\r\n"STARTTLS"\r\nOK "ready"\r\n', 'OK "begin"\r\n'),
  text(
    'xmpp',
    "<?xml version='1.0'?><stream:stream from='a.example' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>" +
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  ),
  text('postgres', 'S'),
  text('postgres', 'E\0\0\0\x20SFATAL\0C08P01\0Mno such thing\0\0'),
  hex('ldap', '300c02010178070a010004000400'),
  hex(
    'ldap',
    `3084000000280201017884000000${'1f'}0a0100040004008a16${Buffer.from('1.3.6.1.4.1.1466.20037').toString('hex')}`,
  ),
  hex('mysql', '360000000a352e352e322d6d32000b00000064764840492d434a00ffff080200' + '00'.repeat(26)),
  hex('mysql', '17000000ff' + '6904' + Buffer.from('Host is blocked here').toString('hex')),
];

type Ending = 'tls' | 'waiting' | StarttlsError['reason'];

/** Plays `answers`, each in chunks; bytes that were there before the talk had asked for them are no answer to it. */
function play(protocol: string, answers: readonly (readonly Buffer[])[]): { ending: Ending; said: number } {
  const talk = findStarttls(protocol)?.({ name: 'a.example' });
  assert.ok(talk !== undefined);
  let said = 0;
  try {
    let result = talk.next();
    for (const chunks of answers) {
      for (const chunk of chunks) {
        if (result.done === true) return { ending: 'MALFORMED', said };
        result = talk.next(chunk);
        if (result.value !== null) said += result.value.length;
      }
    }
    return { ending: result.done === true ? 'tls' : 'waiting', said };
  } catch (thrown) {
    assert.ok(thrown instanceof StarttlsError, `${protocol} threw ${String(thrown)}`);
    return { ending: thrown.reason, said };
  }
}

const inOne = (answers: readonly Buffer[]): Buffer[][] => answers.map(answer => [answer]);

describe('what is said before TLS, at mutated bytes', function () {
  this.timeout(Math.max(60_000, roundsOf(100)));

  it('leads to TLS as it should without a mutation', () => {
    const endings = SCRIPTS.map(({ protocol, answers }) => `${protocol} ${play(protocol, inOne(answers)).ending}`);
    assert.deepEqual(endings, [
      'smtp tls',
      'imap tls',
      'imap tls',
      'pop3 tls',
      'pop3 STARTTLS_REFUSED',
      'ftp tls',
      'nntp tls',
      'sieve tls',
      'xmpp tls',
      'postgres tls',
      'postgres STARTTLS_REFUSED',
      'ldap tls',
      'ldap tls',
      'mysql tls',
      'mysql STARTTLS_REFUSED',
    ]);
  });

  /** One answer of a script changed; now and then it is one of another protocol. */
  function changed(random: Random): { protocol: string; answers: Buffer[] } {
    const { protocol, answers, anatomy } = random.pick(SCRIPTS);
    const at = random.below(answers.length);
    const other = random.pick(random.pick(SCRIPTS).answers);
    return {
      protocol,
      answers: answers.map((answer, index) => {
        if (index !== at) return answer;
        return random.below(10) === 0 ? other : mutate(answer, random, anatomy);
      }),
    };
  }

  it('throws nothing but StarttlsError, and TLS starts only where nothing is left over', () => {
    fuzz(roundsOf(10), random => {
      const { protocol, answers } = changed(random);
      const { ending } = play(protocol, inOne(answers));
      const parts = answers.map(answer => cut(answer, random));
      const { ending: later } = play(protocol, parts);
      // what came too early in one chunk may come in time in several; all else is the same
      if (ending !== 'MALFORMED') assert.equal(later, ending, protocol);
    });
  });

  it('ends at bytes that never end', () => {
    fuzz(roundsOf(1), random => {
      const { protocol, answers } = random.pick(SCRIPTS);
      const piece = random.pick([random.pick(answers), random.bytes(30), Buffer.from('250-x\r\n'), Buffer.from(' ')]);
      const chunk = Buffer.concat(Array.from({ length: Math.ceil(100 / piece.length) }, () => piece));
      const endless = Array.from({ length: Math.ceil(40_000 / chunk.length) }, () => chunk);
      const { ending, said } = play(protocol, [...inOne(answers.slice(0, random.below(answers.length))), endless]);
      assert.notEqual(ending, 'waiting', `${protocol} waits on after 40,000 bytes`);
      assert.ok(said < 1000, `${protocol} said ${said} bytes`);
    });
  });
});
