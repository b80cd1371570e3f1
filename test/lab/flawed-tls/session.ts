import { randomBytes, type KeyObject } from 'node:crypto';
import type { Socket } from 'node:net';
import { uint, vector } from '../../../lib/scan/wire/bytes';
import { CbcReader, CbcWriter } from './cbc-records';
import { MEMORY, type Flaws } from './flaws';
import { answerHeartbeat } from './heartbeats';
import { EXTENSION, message, readClientHello, SCSV, serverHello, type ClientHello } from './hello';
import { connectionKeys, masterSecret, verifyData, type Randoms } from './keys';
import { decryptPremaster } from './premaster';
import { ALERT, FatalAlert, RECORD, RecordLayer } from './record-layer';

/** Key lengths in bytes of the suites spoken: TLS_RSA_WITH_AES_128_CBC_SHA and TLS_RSA_WITH_AES_256_CBC_SHA. */
const SUITES: ReadonlyMap<number, number> = new Map([
  [0x002f, 16],
  [0x0035, 32],
]);

const MESSAGE = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  certificate: 11,
  certificateRequest: 13,
  serverHelloDone: 14,
  clientKeyExchange: 16,
  finished: 20,
} as const;
const DEFLATE = 1;
const NOTHING: Buffer = Buffer.alloc(0);

/** A session that a ticket stands for. */
export interface Resumable {
  master: Buffer;
  version: number;
  suite: number;
}

/** What all connections of one server share. */
export interface ServerContext {
  /** DER, the server's own first. */
  chain: readonly Buffer[];
  key: KeyObject;
  /** Numbers, as in hellos. */
  versions: readonly number[];
  flaws: Flaws;
  tickets: Map<string, Resumable>;
  onHandshake(how: 'full' | 'resumed'): void;
}

/** The handshake that is going on. */
interface Handshake extends Resumable {
  offered: ClientHello;
  randoms: Randoms;
  isResumed: boolean;
  transcript: Buffer[];
}

const CLOSES_AFTER_MS = 50;

type Step = 'hello' | 'key-exchange' | 'change-cipher-spec' | 'finished' | 'open';

/** For RSA certificates of anybody (RFC 5246 section 7.4.4). */
function certificateRequest(version: number): Buffer {
  const algorithms = version >= 0x0303 ? [vector(2, uint(0x0401, 2))] : [];
  return message(MESSAGE.certificateRequest, vector(1, Buffer.from([1])), ...algorithms, vector(2));
}

/** One connection, from the server's side (RFC 5246 section 7.3, RFC 5077 section 3). */
export class Session {
  readonly #records: RecordLayer;
  #step: Step = 'hello';
  #messages: Buffer = NOTHING;
  #handshake: Handshake | null = null;
  #earlyCcs = 0;
  /** The Finished of both sides, for renegotiation_info (RFC 5746 section 3.1). */
  #finished = { client: NOTHING, server: NOTHING };

  constructor(
    socket: Socket,
    private readonly context: ServerContext,
  ) {
    this.#records = new RecordLayer(socket);
  }

  push(chunk: Buffer): void {
    this.#records.push(chunk, (type, content) => this.#onRecord(type, content));
  }

  #onRecord(type: number, content: Buffer): void {
    if (this.context.flaws.closes === 'on-anything' && this.#step !== 'hello') return this.#records.end();
    if (type === RECORD.handshake) this.#onHandshake(content);
    else if (type === RECORD.changeCipherSpec) this.#onChangeCipherSpec();
    else if (type === RECORD.applicationData && this.#step === 'open') this.#records.send(type, content);
    else if (type === RECORD.alert) this.#onAlert(content);
    else if (type === RECORD.heartbeat) this.#onHeartbeat(content);
    else throw new FatalAlert(ALERT.unexpectedMessage);
  }

  #onHandshake(content: Buffer): void {
    this.#messages = Buffer.concat([this.#messages, content]);
    while (this.#messages.length >= 4 && !this.#records.isOver) {
      const end = 4 + this.#messages.readUIntBE(1, 3);
      if (this.#messages.length < end) return;
      const whole = this.#messages.subarray(0, end);
      this.#messages = this.#messages.subarray(end);
      this.#onMessage(whole[0] ?? 0, whole);
    }
  }

  #onMessage(type: number, whole: Buffer): void {
    if (type === MESSAGE.clientHello && this.#step === 'hello') this.#onClientHello(whole);
    else if (type === MESSAGE.clientHello && this.#step === 'open') this.#onRenegotiation(whole);
    else if (type === MESSAGE.certificate && this.#step === 'key-exchange')
      throw new FatalAlert(ALERT.handshakeFailure);
    else if (type === MESSAGE.clientKeyExchange && this.#step === 'key-exchange') this.#onKeyExchange(whole);
    else if (type === MESSAGE.finished && this.#step === 'finished') this.#onFinished(whole);
    else throw new FatalAlert(ALERT.unexpectedMessage);
  }

  #onRenegotiation(whole: Buffer): void {
    switch (this.context.flaws.renegotiation ?? 'refused') {
      case 'accepted':
        return this.#onClientHello(whole);
      case 'refused':
        return this.#records.send(RECORD.alert, Buffer.from([1, ALERT.noRenegotiation]));
      case 'closed':
        throw new FatalAlert(ALERT.handshakeFailure);
      case 'ended':
        return this.#records.end();
      case 'ignored':
    }
  }

  #onClientHello(whole: Buffer): void {
    const { versions, flaws, chain } = this.context;
    const offered = readClientHello(whole.subarray(4));
    const version = Math.max(...versions.filter(one => one <= offered.version), 0);
    const suite = offered.suites.find(one => SUITES.has(one));
    if (version === 0) return this.#refuse(ALERT.protocolVersion);
    if (offered.suites.includes(SCSV.fallback) && flaws.noFallbackScsv !== true && version < Math.max(...versions)) {
      throw new FatalAlert(ALERT.inappropriateFallback);
    }
    if (suite === undefined) return this.#refuse(ALERT.handshakeFailure);
    const known = this.#findTicket(offered, version);
    this.#handshake = {
      ...(known ?? { version, suite, master: NOTHING }),
      offered,
      randoms: { client: offered.random, server: randomBytes(32) },
      isResumed: known !== undefined,
      transcript: [whole],
    };
    this.#records.version = version;
    this.#sendHello(this.#handshake);
    if (known === undefined) {
      this.#sendMessages(
        message(MESSAGE.certificate, vector(3, ...chain.map(der => vector(3, der)))),
        ...(flaws.wantsCertificate === true ? [certificateRequest(version)] : []),
        message(MESSAGE.serverHelloDone),
      );
      this.#step = 'key-exchange';
      if (flaws.closes === 'by-itself') setTimeout(() => this.#records.end(), CLOSES_AFTER_MS);
    } else {
      this.#sendFinished();
      this.#step = 'change-cipher-spec';
    }
  }

  #findTicket(offered: ClientHello, version: number): Resumable | undefined {
    const { ticketbleed } = this.context.flaws;
    if (ticketbleed === 'forgetful' || (ticketbleed === 'full-id' && offered.sessionId.length < 32)) return undefined;
    const ticket = offered.extensions.get(EXTENSION.sessionTicket);
    const known = ticket && this.context.tickets.get(ticket.toString('hex'));
    return known?.version === version && offered.suites.includes(known.suite) ? known : undefined;
  }

  #sendHello({ offered, version, suite, randoms, isResumed }: Handshake): void {
    const { flaws } = this.context;
    const extensions: [number, Buffer][] = [];
    const info = offered.extensions.get(EXTENSION.renegotiationInfo);
    if (flaws.noRenegotiationInfo !== true && (info !== undefined || offered.suites.includes(SCSV.renegotiation))) {
      const { client, server } = this.#finished;
      if (info !== undefined && !info.equals(vector(1, client))) throw new FatalAlert(ALERT.handshakeFailure);
      extensions.push([EXTENSION.renegotiationInfo, vector(1, client, server)]);
    }
    if (!isResumed && this.#givesTicket(offered)) extensions.push([EXTENSION.sessionTicket, NOTHING]);
    if (offered.extensions.has(EXTENSION.heartbeat) && (flaws.heartbeat ?? 'none') !== 'none') {
      extensions.push([EXTENSION.heartbeat, Buffer.from([1])]);
    }
    const isCompressed = flaws.compression === true && offered.compressions.includes(DEFLATE);
    const compression = isCompressed ? DEFLATE : 0;
    const sessionId = isResumed ? this.#echo(offered.sessionId) : NOTHING;
    this.#sendMessages(serverHello({ version, random: randoms.server, sessionId, suite, compression, extensions }));
  }

  #echo(sessionId: Buffer): Buffer {
    if (this.context.flaws.ticketbleed !== 'bleeding' || sessionId.length === 0) return sessionId;
    return Buffer.concat([sessionId, MEMORY]).subarray(0, 32);
  }

  #givesTicket(offered: ClientHello): boolean {
    return offered.extensions.has(EXTENSION.sessionTicket) && this.context.flaws.ticketbleed !== 'no-tickets';
  }

  #onKeyExchange(whole: Buffer): void {
    const handshake = this.#current();
    const { flaws, key } = this.context;
    if (flaws.compression === true && handshake.offered.compressions.includes(DEFLATE)) {
      throw new FatalAlert(ALERT.decompressionFailure);
    }
    const { secret, fault } = decryptPremaster(key, whole.subarray(6), handshake.offered.version);
    if (fault !== null && this.#hasShown(fault === 'no-zero')) return;
    handshake.master = masterSecret(handshake.version, secret, handshake.randoms);
    handshake.transcript.push(whole);
    this.#step = 'change-cipher-spec';
  }

  /** Whether bad padding of a premaster secret was told. */
  #hasShown(isWithoutZero: boolean): boolean {
    const { robot = 'none', robotAlert = ALERT.handshakeFailure } = this.context.flaws;
    if (robot === 'none' || (robot === 'weak' && !isWithoutZero)) return false;
    if (robot === 'close') this.#records.end();
    else if (robot === 'reset') this.#records.reset();
    else if (robot === 'timeout') this.#records.fallSilent();
    else throw new FatalAlert(robotAlert);
    return true;
  }

  #onChangeCipherSpec(): void {
    if (this.#step === 'change-cipher-spec') {
      if (this.context.flaws.closes === 'on-finished') return this.#records.end();
      const { version, master, suite, randoms } = this.#current();
      const { client } = connectionKeys(version, master, randoms, SUITES.get(suite) ?? 0);
      this.#records.reader = new CbcReader(version, client, this.context.flaws.padding ?? 'checked');
      this.#step = 'finished';
      return;
    }
    const { ccs = 'patched' } = this.context.flaws;
    const isEarly = this.#step === 'key-exchange';
    if (isEarly && ccs === 'closes') return this.#records.end();
    this.#earlyCcs += 1;
    if (!isEarly || ccs === 'patched' || this.#earlyCcs > 1) throw new FatalAlert(ALERT.unexpectedMessage);
  }

  #onFinished(whole: Buffer): void {
    const handshake = this.#current();
    const { version, suite, master, transcript, isResumed, offered } = handshake;
    const expected = verifyData(version, master, 'client', Buffer.concat(transcript));
    if (!whole.subarray(4).equals(expected)) throw new FatalAlert(ALERT.decryptError);
    this.#finished.client = expected;
    transcript.push(whole);
    if (!isResumed) {
      if (this.#givesTicket(offered)) {
        const ticket = randomBytes(32);
        this.context.tickets.set(ticket.toString('hex'), { master, version, suite });
        this.#sendMessages(message(MESSAGE.newSessionTicket, uint(300, 4), vector(2, ticket)));
      }
      this.#sendFinished();
    }
    this.#step = 'open';
    this.#handshake = null;
    this.context.onHandshake(isResumed ? 'resumed' : 'full');
    if (this.context.flaws.closes === 'after-handshake') this.#records.end();
  }

  #sendFinished(): void {
    const { version, suite, master, transcript, randoms } = this.#current();
    this.#records.send(RECORD.changeCipherSpec, Buffer.from([1]));
    const { server } = connectionKeys(version, master, randoms, SUITES.get(suite) ?? 0);
    this.#records.writer = new CbcWriter(version, server);
    this.#finished.server = verifyData(version, master, 'server', Buffer.concat(transcript));
    this.#sendMessages(message(MESSAGE.finished, this.#finished.server));
  }

  #onAlert([level, description]: Buffer): void {
    if (description === ALERT.closeNotify) this.#records.fail(ALERT.closeNotify);
    else if (level !== 1) this.#records.end();
  }

  #onHeartbeat(content: Buffer): void {
    const { heartbeat = 'none' } = this.context.flaws;
    if (heartbeat === 'none') throw new FatalAlert(ALERT.unexpectedMessage);
    const answer = answerHeartbeat(content, heartbeat, { isOpen: this.#step === 'open' });
    if (answer === 'close') return this.#records.end();
    if (answer !== null) this.#records.send(RECORD.heartbeat, answer);
  }

  #current(): Handshake {
    if (this.#handshake === null) throw new FatalAlert(ALERT.unexpectedMessage);
    return this.#handshake;
  }

  #sendMessages(...messages: Buffer[]): void {
    this.#current().transcript.push(...messages);
    this.#records.send(RECORD.handshake, Buffer.concat(messages));
  }

  #refuse(alert: number): void {
    const { refusal = 'alert' } = this.context.flaws;
    if (refusal === 'alert') throw new FatalAlert(alert);
    if (refusal === 'close') this.#records.end();
    else this.#records.reset();
  }
}
