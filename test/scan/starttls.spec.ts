import assert from 'node:assert/strict';
import { findStarttls } from '../../lib/scan/starttls';
import type { StarttlsReason } from '../../lib/scan/starttls/starttls';
import { c, cHex, play, rfc, s, sHex, type Turn } from './starttls-script';

interface Case {
  what: string;
  turns: Turn[];
  /** Left out: TLS may start. */
  reason?: StarttlsReason;
  message?: RegExp;
  /** As in `play`. */
  name?: string | null;
  /** What matters is that it came in one chunk. */
  isWholeOnly?: boolean;
}

const XMPP_OPEN =
  "<?xml version='1.0'?><stream:stream to='a.example' version='1.0' xml:lang='en' xmlns='jabber:client' " +
  "xmlns:stream='http://etherx.jabber.org/streams'>";
const XMPP_HEADER =
  "<?xml version='1.0'?><stream:stream from='a.example' id='t7AMCin9zjMNwQKDnplntZPIDEI=' version='1.0' " +
  "xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const XMPP_FEATURES =
  "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
const XMPP_STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const LDAP_REQUEST = '30 1d 02 01 01 77 18 80 16 312e332e362e312e342e312e313436362e3230303337';
const SSL_REQUEST = '00 00 00 08 04 d2 16 2f';
/** 5.5.2-m2, as the protocol's documentation prints it, up to the low half of the capabilities. */
const MYSQL_HEAD = '36 00 00 00 0a 35 2e 35 2e 32 2d 6d 32 00 0b 00 00 00 64 76 48 40 49 2d 43 4a 00';
const MYSQL_TAIL = '08 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 2a 34 64 7c 63 5a 77 6b 34 5e 5d 3a 00';
const MYSQL_SSL_REQUEST = `20 00 00 01 01 8a 00 00 00 00 00 01 21 ${'00'.repeat(23)}`;

/** One line, printable, short; a server's words are in it only in part. */
const SENTENCE = /^[\x20-\x7e…]{1,160}$/;

const TLS_ALERT = sHex('15 03 01 00 02 02 46');
const HTTP = s('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');

const CASES: Record<string, Case[]> = {
  smtp: [
    {
      what: 'the example of RFC 3207',
      turns: rfc(`
        S: 220 mail.imc.org SMTP service ready
        C: EHLO certdesk.invalid
        S: 250-mail.imc.org offers a warm hug of welcome
        S: 250-8BITMIME
        S: 250-STARTTLS
        S: 250 DSN
        C: STARTTLS
        S: 220 Go ahead`),
    },
    {
      what: 'a greeting of several lines, keywords in lower case, lines that a lone LF ends',
      turns: [
        s('220-mail.example\n220-no spam\n220\n'),
        c('EHLO certdesk.invalid\r\n'),
        s('250-mail.example\n250 starttls\n'),
        c('STARTTLS\r\n'),
        s('220-one\r\n220 two\r\n'),
      ],
    },
    {
      what: 'no STARTTLS in the list',
      turns: rfc(`
        S: 220 mail.example
        C: EHLO certdesk.invalid
        S: 250-mail.example
        S: 250 SIZE 1000`),
      reason: 'STARTTLS_NOT_OFFERED',
      message: /does not list STARTTLS/,
    },
    {
      what: 'a server that is called STARTTLS and has none',
      turns: rfc(`
        S: 220 STARTTLS
        C: EHLO certdesk.invalid
        S: 250-STARTTLS
        S: 250 X-STARTTLS`),
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'a server without extensions',
      turns: rfc(`
        S: 220 mail.example
        C: EHLO certdesk.invalid
        S: 502 Command not implemented`),
      reason: 'STARTTLS_NOT_OFFERED',
      message: /"502 Command not implemented"/,
    },
    {
      what: 'EHLO declined',
      turns: rfc(`
        S: 220 mail.example
        C: EHLO certdesk.invalid
        S: 550 go away`),
      reason: 'STARTTLS_REFUSED',
      message: /EHLO with "550 go away"/,
    },
    {
      what: 'STARTTLS declined',
      turns: rfc(`
        S: 220 mail.example
        C: EHLO certdesk.invalid
        S: 250-mail.example
        S: 250 STARTTLS
        C: STARTTLS
        S: 454 TLS not available due to temporary reason`),
      reason: 'STARTTLS_REFUSED',
      message: /STARTTLS with "454 TLS not available/,
    },
    {
      what: 'a greeting that serves nobody',
      turns: rfc('S: 554 No SMTP service here'),
      reason: 'STARTTLS_REFUSED',
      message: /the connection with "554 No SMTP service here"/,
    },
    {
      what: 'what it says is shown on one line, printable and short',
      turns: [s(`554 \x7f<b>"é"</b> ${'x'.repeat(500)}\r\n`)],
      reason: 'STARTTLS_REFUSED',
      message: /^it answered the connection with "554 \?<b>'\?'<\/b> x{60,}…"$/,
    },
    {
      what: 'a command that somebody put in after the go-ahead',
      turns: [
        ...rfc(`
        S: 220 mail.example
        C: EHLO certdesk.invalid
        S: 250-mail.example
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 Go ahead`),
        s('220 and more\r\n'),
      ],
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    {
      what: 'an answer before the question',
      turns: rfc(`
        S: 220 mail.example
        S: 250 STARTTLS`),
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    {
      what: 'a reply whose code changes',
      turns: rfc(`
        S: 220-mail.example
        S: 250 mail.example`),
      reason: 'MALFORMED',
    },
    { what: 'a POP3 server', turns: [s('+OK POP3 ready\r\n')], reason: 'WRONG_PROTOCOL', message: /"\+OK POP3 ready"/ },
    {
      what: 'an SSH server',
      turns: [s('SSH-2.0-OpenSSH_9.2\r\n')],
      reason: 'WRONG_PROTOCOL',
      message: /it speaks SSH/,
    },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
    { what: 'a MySQL server', turns: [sHex(MYSQL_HEAD)], reason: 'WRONG_PROTOCOL' },
    { what: 'HTTP', turns: [HTTP], reason: 'WRONG_PROTOCOL', message: /it speaks HTTP/ },
    { what: 'lines without an end', turns: [s('220-x\r\n'.repeat(97))], reason: 'MALFORMED' },
    { what: 'a line without an end', turns: [s(`220 ${'x'.repeat(16 * 1024)}`)], reason: 'MALFORMED' },
  ],
  imap: [
    {
      what: 'the example of RFC 9051',
      turns: rfc(`
        S: * OK IMAP4rev2 Service Ready
        C: a1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
        S: a1 OK CAPABILITY completed
        C: a2 STARTTLS
        S: a2 OK Begin TLS negotiation now`),
    },
    {
      what: 'a greeting that lists it',
      turns: rfc(`
        S: * OK [CAPABILITY IMAP4rev1 ID STARTTLS AUTH=PLAIN] ready.
        C: a2 STARTTLS
        S: a2 OK Begin TLS negotiation now`),
    },
    {
      what: 'untagged data wherever it may come',
      turns: rfc(`
        S: * ok hello
        S: * OK still here
        C: a1 CAPABILITY
        S: * OK thinking
        S: * capability imap4rev1 starttls
        S: a1 ok done
        S: * OK by the way
        C: a2 STARTTLS
        S: * OK wait
        S: a2 OK go`),
      isWholeOnly: true,
    },
    {
      what: 'a list in the code of the tagged reply',
      turns: rfc(`
        S: * OK hello
        C: a1 CAPABILITY
        S: a1 OK [CAPABILITY IMAP4rev1 STARTTLS] done
        C: a2 STARTTLS
        S: a2 OK go`),
    },
    {
      what: 'no STARTTLS in the list',
      turns: rfc(`
        S: * OK [CAPABILITY IMAP4rev1 AUTH=STARTTLS] hello
        C: a1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 XSTARTTLS
        S: a1 OK done, no STARTTLS`),
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'PREAUTH',
      turns: rfc('S: * PREAUTH IMAP4rev1 server logged in as Smith'),
      reason: 'STARTTLS_NOT_OFFERED',
      message: /PREAUTH/,
    },
    {
      what: 'BYE as a greeting',
      turns: rfc('S: * BYE Autologout; idle for too long'),
      reason: 'STARTTLS_REFUSED',
      message: /"\* BYE Autologout; idle for too long"/,
    },
    {
      what: 'BYE later',
      turns: rfc(`
        S: * OK hello
        C: a1 CAPABILITY
        S: * BYE too many connections`),
      reason: 'STARTTLS_REFUSED',
      message: /BYE/,
    },
    {
      what: 'NO',
      turns: rfc(`
        S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
        C: a2 STARTTLS
        S: a2 NO TLS is not configured`),
      reason: 'STARTTLS_REFUSED',
      message: /"a2 NO TLS is not configured"/,
    },
    {
      what: 'BAD',
      turns: rfc(`
        S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
        C: a2 STARTTLS
        S: a2 BAD what?`),
      reason: 'STARTTLS_REFUSED',
    },
    {
      what: 'another tag',
      turns: rfc(`
        S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
        C: a2 STARTTLS
        S: a1 OK go`),
      reason: 'MALFORMED',
    },
    {
      what: 'untagged data after the go-ahead',
      turns: rfc(`
        S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
        C: a2 STARTTLS
        S: a2 OK go
        S: * CAPABILITY IMAP4rev1 AUTH=PLAIN`),
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    { what: 'an SMTP server', turns: [s('220 mail.example ESMTP\r\n')], reason: 'WRONG_PROTOCOL' },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
    {
      what: 'no end of untagged data',
      turns: [s(`* OK hello\r\n${'* OK x\r\n'.repeat(100)}`)],
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
  ],
  pop3: [
    {
      what: 'the example of RFC 2595',
      turns: rfc(`
        S: +OK POP3 server ready
        C: STLS
        S: +OK Begin TLS negotiation`),
    },
    {
      what: 'no STLS in the list of capabilities',
      turns: rfc(`
        S: +OK POP3 server ready
        C: STLS
        S: -ERR unknown command
        C: CAPA
        S: +OK Capability list follows
        S: TOP
        S: USER
        S: .`),
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'STLS in the list, and declined',
      turns: rfc(`
        S: +OK POP3 server ready
        C: STLS
        S: -ERR TLS is broken
        C: CAPA
        S: +OK
        S: STLS
        S: .`),
      reason: 'STARTTLS_REFUSED',
      message: /"-ERR TLS is broken"/,
    },
    {
      what: 'neither STLS nor CAPA',
      turns: rfc(`
        S: +OK
        C: STLS
        S: -ERR
        C: CAPA
        S: -ERR`),
      reason: 'STARTTLS_REFUSED',
    },
    {
      what: 'a greeting that serves nobody',
      turns: rfc('S: -ERR busy'),
      reason: 'STARTTLS_REFUSED',
      message: /"-ERR busy"/,
    },
    {
      what: 'bytes after the go-ahead',
      turns: rfc('S: +OK\nC: STLS\nS: +OK\nS: +OK'),
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    { what: 'nonsense after the greeting', turns: rfc('S: +OK\nC: STLS\nS: fine'), reason: 'MALFORMED' },
    { what: 'an IMAP server', turns: rfc('S: * OK IMAP4rev1'), reason: 'WRONG_PROTOCOL' },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
  ],
  ftp: [
    {
      what: 'RFC 4217',
      turns: rfc(`
        S: 220 Service ready for new user.
        C: AUTH TLS
        S: 234 AUTH TLS OK`),
    },
    {
      what: 'a banner of several lines, of which those between are anything',
      turns: rfc(`
        S: 220-Welcome
        S:   to the
        S: 234 archive of
        S: 220-everything
        S: 220 and more
        C: AUTH TLS
        S: 234-Go
        S: on
        S: 234 now`),
    },
    {
      what: 'a server that is ready a little later',
      turns: rfc(`
        S: 120 Service ready in 1 minutes
        S: 220 Service ready
        C: AUTH TLS
        S: 234 Go`),
    },
    ...[500, 502, 504].map((code): Case => ({
      what: `not there: ${code}`,
      turns: rfc(`S: 220 Hi\nC: AUTH TLS\nS: ${code} no`),
      reason: 'STARTTLS_NOT_OFFERED',
      message: new RegExp(`"${code} no"`),
    })),
    ...[421, 431, 530, 534].map((code): Case => ({
      what: `declined: ${code}`,
      turns: rfc(`S: 220 Hi\nC: AUTH TLS\nS: ${code} no`),
      reason: 'STARTTLS_REFUSED',
      message: new RegExp(`"${code} no"`),
    })),
    { what: 'a greeting that serves nobody', turns: rfc('S: 421 too many users'), reason: 'STARTTLS_REFUSED' },
    {
      what: 'bytes after the go-ahead',
      turns: rfc('S: 220 Hi\nC: AUTH TLS\nS: 234 Go\nS: 200 PROT'),
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    { what: 'an SSH server', turns: [s('SSH-2.0-OpenSSH_9.2\r\n')], reason: 'WRONG_PROTOCOL' },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
    { what: 'a banner without an end', turns: [s(`220-x\r\n${'x\r\n'.repeat(100)}`)], reason: 'MALFORMED' },
  ],
  nntp: [
    {
      what: 'the example of RFC 4642',
      turns: rfc(`
        S: 200 news.example ready
        C: STARTTLS
        S: 382 Continue with TLS negotiation`),
    },
    { what: 'a server that lets nobody post', turns: rfc('S: 201 read only\nC: STARTTLS\nS: 382 go') },
    {
      what: 'an unknown command',
      turns: rfc('S: 200 Hi\nC: STARTTLS\nS: 500 What?'),
      reason: 'STARTTLS_NOT_OFFERED',
      message: /"500 What\?"/,
    },
    {
      what: 'TLS that cannot start',
      turns: rfc('S: 200 Hi\nC: STARTTLS\nS: 580 Can not initiate TLS negotiation'),
      reason: 'STARTTLS_REFUSED',
      message: /"580 Can not/,
    },
    {
      what: 'a command that is not permitted',
      turns: rfc('S: 200 Hi\nC: STARTTLS\nS: 502 no'),
      reason: 'STARTTLS_REFUSED',
    },
    { what: 'a greeting that serves nobody', turns: rfc('S: 400 not now'), reason: 'STARTTLS_REFUSED' },
    {
      what: 'bytes after the go-ahead',
      turns: rfc('S: 200 Hi\nC: STARTTLS\nS: 382 go\nS: 200 x'),
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    { what: 'an IMAP server', turns: rfc('S: * OK IMAP4rev1'), reason: 'WRONG_PROTOCOL' },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
  ],
  sieve: [
    {
      what: 'the example of RFC 5804',
      turns: rfc(`
        S: "IMPLEMENTATION" "Example1 ManageSieved v001"
        S: "SASL" "DIGEST-MD5 GSSAPI"
        S: "SIEVE" "fileinto vacation"
        S: "StartTLS"
        S: "NOTIFY" "xmpp mailto"
        S: "VERSION" "1.0"
        S: OK
        C: STARTTLS
        S: OK "Begin TLS negotiation now."`),
    },
    {
      what: 'literals in the place of strings',
      turns: [
        s('{14}\r\nIMPLEMENTATION {13}\r\nOK\r\n"SIEVE"\r\n\r\n"STARTTLS"\r\nOK {3}\r\nhi!\r\n'),
        c('STARTTLS\r\n'),
        s('OK {8}\r\ngo\r\nOK\r\n\r\n'),
      ],
    },
    {
      what: 'no STARTTLS in the list',
      turns: rfc('S: "IMPLEMENTATION" "STARTTLS"\nS: OK'),
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'NO',
      turns: rfc('S: "STARTTLS"\nS: OK\nC: STARTTLS\nS: NO (TRYLATER) "not now"'),
      reason: 'STARTTLS_REFUSED',
      message: /"NO \(TRYLATER\) 'not now'"/,
    },
    { what: 'BYE as a greeting', turns: rfc('S: BYE "too many"'), reason: 'STARTTLS_REFUSED' },
    {
      what: 'a literal without an end',
      turns: rfc('S: "IMPLEMENTATION" {999999999}'),
      reason: 'MALFORMED',
    },
    {
      what: 'bytes after the go-ahead',
      turns: rfc('S: "STARTTLS"\nS: OK\nC: STARTTLS\nS: OK\nS: "SASL" "PLAIN"'),
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    { what: 'a POP3 server', turns: rfc('S: +OK ready'), reason: 'WRONG_PROTOCOL' },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
  ],
  xmpp: [
    {
      what: 'the example of RFC 6120',
      turns: [
        c(XMPP_OPEN),
        s(XMPP_HEADER),
        s(XMPP_FEATURES),
        c(XMPP_STARTTLS),
        s("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
      ],
    },
    {
      what: 'other prefixes, line ends, and values with signs in them',
      turns: [
        c(XMPP_OPEN),
        s(
          '<?xml version="1.0" encoding="UTF-8"?>\n<x:stream id="a>b/" version="1.0"\n xmlns:x="http://etherx.jabber.org/streams">\n',
        ),
        s(
          '<x:features>\n<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism></mechanisms>',
        ),
        s('<t:starttls xmlns:t="urn:ietf:params:xml:ns:xmpp-tls"></t:starttls></x:features>'),
        c(XMPP_STARTTLS),
        s('<t:proceed xmlns:t="urn:ietf:params:xml:ns:xmpp-tls"></t:proceed>'),
      ],
    },
    {
      what: 'a bare address, to nobody',
      name: null,
      turns: [
        c(XMPP_OPEN.replace(" to='a.example'", '')),
        s(`${XMPP_HEADER}<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`),
      ],
      reason: 'STARTTLS_REFUSED',
      message: /the error "host-unknown"/,
    },
    {
      what: 'a name with signs that XML has a use for',
      name: "a'&<b",
      turns: [c(XMPP_OPEN.replace('a.example', 'a&#39;&#38;&#60;b')), s('<oops>')],
      reason: 'WRONG_PROTOCOL',
    },
    {
      what: 'no starttls among the features',
      turns: [
        c(XMPP_OPEN),
        s(XMPP_HEADER),
        s('<stream:features><mechanisms><starttls/></mechanisms></stream:features>'),
      ],
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'no features',
      turns: [c(XMPP_OPEN), s(`${XMPP_HEADER}<stream:features/>`)],
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'a stream older than 1.0',
      turns: [c(XMPP_OPEN), s("<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1'>")],
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'failure',
      turns: [
        c(XMPP_OPEN),
        s(XMPP_HEADER + XMPP_FEATURES),
        c(XMPP_STARTTLS),
        s("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"),
      ],
      reason: 'STARTTLS_REFUSED',
      message: /failure/,
    },
    {
      what: 'a stream that ends',
      turns: [c(XMPP_OPEN), s(`${XMPP_HEADER}</stream:stream>`)],
      reason: 'STARTTLS_REFUSED',
    },
    {
      what: 'bytes after the go-ahead',
      turns: [c(XMPP_OPEN), s(XMPP_HEADER + XMPP_FEATURES), c(XMPP_STARTTLS), s("<proceed xmlns='x'/><message/>")],
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    {
      what: 'a document type',
      turns: [c(XMPP_OPEN), s(`${XMPP_HEADER}<!DOCTYPE x [<!ENTITY a "b">]>`)],
      reason: 'MALFORMED',
    },
    { what: 'a tag without an end', turns: [c(XMPP_OPEN), s(`<a b='${'x'.repeat(17_000)}`)], reason: 'MALFORMED' },
    {
      what: 'HTTP',
      turns: [c(XMPP_OPEN), HTTP],
      reason: 'WRONG_PROTOCOL',
      isWholeOnly: true,
      message: /it speaks HTTP/,
    },
    { what: 'HTTP without a header', turns: [c(XMPP_OPEN), s('<html><body>')], reason: 'WRONG_PROTOCOL' },
    {
      what: 'TLS at once',
      turns: [c(XMPP_OPEN), TLS_ALERT],
      reason: 'WRONG_PROTOCOL',
      isWholeOnly: true,
      message: /TLS from the first byte/,
    },
  ],
  ldap: [
    {
      what: 'success',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 01 78 07 0a 01 00 04 00 04 00')],
    },
    {
      what: 'success with the long lengths of Active Directory, and the name of the response',
      turns: [
        cHex(LDAP_REQUEST),
        sHex('30 84 00 00 00 28 02 01 01 78 84 00 00 00 1f 0a 01 00 04 00 04 00'),
        sHex('8a 16 312e332e362e312e342e312e313436362e3230303337'),
      ],
    },
    {
      what: 'an operation that it does not know',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 01 78 07 0a 01 02 04 00 04 00')],
      reason: 'STARTTLS_NOT_OFFERED',
      message: /result 2 \(protocolError\)/,
    },
    {
      what: 'unavailable',
      turns: [cHex(LDAP_REQUEST), sHex('30 10 02 01 01 78 0b 0a 01 34 04 00 04 04 6e6f2021')],
      reason: 'STARTTLS_REFUSED',
      message: /result 52 \(unavailable\)/,
    },
    {
      what: 'a result without a name',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 01 78 07 0a 01 7b 04 00 04 00')],
      reason: 'STARTTLS_REFUSED',
      message: /result 123$/,
    },
    {
      what: 'a notice of disconnection',
      turns: [
        cHex(LDAP_REQUEST),
        sHex('30 24 02 01 00 78 1f 0a 01 34 04 00 04 00 8a 16 312e332e362e312e342e312e313436362e3230303336'),
      ],
      reason: 'STARTTLS_REFUSED',
      message: /ended the connection with result 52/,
    },
    {
      what: 'an answer to another message',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 02 78 07 0a 01 00 04 00 04 00')],
      reason: 'MALFORMED',
    },
    {
      what: 'an answer of another kind',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 01 61 07 0a 01 00 04 00 04 00')],
      reason: 'MALFORMED',
    },
    {
      what: 'lengths that do not add up',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 01 78 17 0a 01 00 04 00 04 00')],
      reason: 'MALFORMED',
    },
    { what: 'a length of gigabytes', turns: [cHex(LDAP_REQUEST), sHex('30 84 ff ff ff ff')], reason: 'MALFORMED' },
    { what: 'a length without an end', turns: [cHex(LDAP_REQUEST), sHex('30 80')], reason: 'MALFORMED' },
    {
      what: 'bytes after the go-ahead',
      turns: [cHex(LDAP_REQUEST), sHex('30 0c 02 01 01 78 07 0a 01 00 04 00 04 00 30')],
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    { what: 'HTTP', turns: [cHex(LDAP_REQUEST), HTTP], reason: 'WRONG_PROTOCOL', isWholeOnly: true },
    { what: 'TLS at once', turns: [cHex(LDAP_REQUEST), TLS_ALERT], reason: 'WRONG_PROTOCOL' },
  ],
  postgres: [
    { what: 'S', turns: [cHex(SSL_REQUEST), s('S')] },
    { what: 'N', turns: [cHex(SSL_REQUEST), s('N')], reason: 'STARTTLS_NOT_OFFERED' },
    {
      what: 'an ErrorResponse',
      turns: [cHex(SSL_REQUEST), s('E\0\0\0\x2aSFATAL\0VFATAL\0C53300\0Mtoo many clients\0\0')],
      reason: 'STARTTLS_REFUSED',
      message: /error 53300/,
    },
    {
      what: 'the error of an old server, which is a text',
      turns: [cHex(SSL_REQUEST), s('EFATAL 1: unsupported frontend protocol\n\0')],
      reason: 'STARTTLS_REFUSED',
      message: /an error$/,
    },
    { what: 'bytes after the go-ahead', turns: [cHex(SSL_REQUEST), s('SN')], reason: 'MALFORMED', isWholeOnly: true },
    { what: 'HTTP', turns: [cHex(SSL_REQUEST), HTTP], reason: 'WRONG_PROTOCOL' },
    {
      what: 'an SSH server',
      turns: [cHex(SSL_REQUEST), s('SSH-2.0-x\r\n')],
      reason: 'WRONG_PROTOCOL',
      isWholeOnly: true,
    },
    { what: 'TLS at once', turns: [cHex(SSL_REQUEST), TLS_ALERT], reason: 'WRONG_PROTOCOL' },
  ],
  mysql: [
    {
      what: 'a handshake with TLS among the capabilities',
      turns: [sHex(`${MYSQL_HEAD} ff ff ${MYSQL_TAIL}`), cHex(MYSQL_SSL_REQUEST)],
    },
    {
      what: 'MariaDB, which does not claim to be MySQL (the lowest capability)',
      turns: [
        sHex('26 00 00 00 0a'),
        s('5.5.5-10.11.6-MariaDB\0'),
        sHex('03 00 00 00 61 62 63 64 65 66 67 68 00 fe ff'),
        cHex(MYSQL_SSL_REQUEST),
      ],
      isWholeOnly: true,
    },
    {
      what: 'a handshake without TLS',
      turns: [sHex(`${MYSQL_HEAD} ff f7 ${MYSQL_TAIL}`)],
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'version 9 of the protocol',
      turns: [sHex('1a 00 00 00 09'), s('3.20.1\0'), sHex('01 00 00 00 61 62 63 64 65 66 67 68 00 00 00 00 00 00')],
      reason: 'STARTTLS_NOT_OFFERED',
    },
    {
      what: 'a host that may not connect',
      turns: [sHex('1f 00 00 00 ff 6a 04'), s("Host 'x' is not allowed to c")],
      reason: 'STARTTLS_REFUSED',
      message: /error 1130, "Host 'x' is not/,
    },
    {
      what: 'a handshake that is cut off',
      turns: [sHex('09 00 00 00 0a'), s('5.5.2-m2')],
      reason: 'MALFORMED',
    },
    {
      what: 'bytes after the handshake',
      turns: [sHex(`${MYSQL_HEAD} ff ff ${MYSQL_TAIL} 00`)],
      reason: 'MALFORMED',
      isWholeOnly: true,
    },
    {
      what: 'an SMTP server',
      turns: [s('220 mail.example\r\n')],
      reason: 'WRONG_PROTOCOL',
      isWholeOnly: true,
      message: /"220 mail.example"/,
    },
    { what: 'a packet of megabytes', turns: [sHex('ff ff ff 00 0a')], reason: 'WRONG_PROTOCOL' },
    { what: 'TLS at once', turns: [TLS_ALERT], reason: 'WRONG_PROTOCOL' },
  ],
};

describe('what is said before TLS', () => {
  for (const [protocol, cases] of Object.entries(CASES)) {
    describe(protocol, () => {
      for (const { what, turns, reason, message, name, isWholeOnly = false } of cases) {
        for (const isCut of isWholeOnly ? [false] : [false, true]) {
          it(`${reason ?? 'starts TLS'}: ${what}${isCut ? ', byte by byte' : ''}`, () => {
            const ending = play(protocol, turns, { isCut, ...(name === undefined ? {} : { name }) });
            if (reason === undefined) return assert.equal(ending, 'tls');
            if (typeof ending === 'string') return assert.fail(`${ending} instead of ${reason}`);
            assert.equal(ending.reason, reason);
            assert.match(ending.message, isCut ? SENTENCE : (message ?? SENTENCE));
          });
        }
      }
    });
  }

  it('waits for the rest of a reply of several lines', () => {
    assert.equal(play('smtp', [s('220-mail.example\r\n220-more\r\n')], { isCut: false }), 'waiting');
    assert.equal(play('ftp', [s('220-hello\r\n2200\r\n')], { isCut: false }), 'waiting');
    assert.equal(play('postgres', [cHex(SSL_REQUEST)], { isCut: false }), 'waiting');
    assert.equal(play('ldap', [cHex(LDAP_REQUEST), sHex('30 0c 02 01')], { isCut: false }), 'waiting');
  });

  it('knows the ten protocols and no others', () => {
    const ten = ['smtp', 'imap', 'pop3', 'ftp', 'ldap', 'xmpp', 'postgres', 'mysql', 'sieve', 'nntp'];
    for (const name of ten) assert.ok(findStarttls(name), name);
    for (const name of ['', 'gopher', 'constructor', '__proto__', 'SMTP']) assert.equal(findStarttls(name), undefined);
  });
});
