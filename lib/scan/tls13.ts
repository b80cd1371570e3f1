import tls from 'node:tls';
import type { Dialogue } from './dialogue';
import { keepCertificates } from './keep';
import { huntSuites, listSuites, type HuntLimits } from './suite-hunt';
import { allSuites, weakSuites } from './suites/lists';
import { SUITES } from './suites/suites';
import { conclude } from './reply';

const PROTOCOL_VERSION = 70;
const NO_COMMON_SUITE = 40;

export interface Tls13Plan {
  dialogue: Dialogue;
  profile: 'quick' | 'full';
  limits: HuntLimits;
}

/**
 * Whether TLS 1.3 is offered, and its suites. Asked with an empty key_share, which a server answers with a
 * HelloRetryRequest that names suite and group and costs no key exchange (RFC 8446 section 4.1.4).
 *
 * A server that marked its ServerHello of TLS 1.2 (RFC 8446 section 4.1.3) is asked for weak suites only: refusing
 * them for want of a common suite, not of the version, it has answered both questions in one.
 */
export async function askTls13({ dialogue, profile, limits }: Tls13Plan): Promise<void> {
  const { seen } = dialogue;
  const weak = weakSuites('TLSv1.3');
  if (seen.speaksTls13 && profile === 'quick') {
    const reply = await dialogue.ask('TLSv1.3', weak);
    if (reply.kind === 'refused' && reply.alert === NO_COMMON_SUITE) {
      const reason = 'its answer in TLS 1.2 carries the mark of TLS 1.3, and none of its weak suites is taken';
      seen.protocols['TLSv1.3'] = { state: 'offered', reason };
      return;
    }
  }
  if (seen.accepted['TLSv1.3'].size === 0) {
    const reply = await dialogue.ask('TLSv1.3', allSuites('TLSv1.3'));
    const isClear =
      reply.kind === 'refused'
        ? reply.alert === PROTOCOL_VERSION || !seen.speaksTls13
        : reply.kind === 'unknown' && (reply.how === 'silent' || reply.how === 'stopped');
    if (reply.kind !== 'hit' && (isClear || !(await shakeHands(dialogue)))) {
      conclude(seen, ['TLSv1.3'], reply);
      return;
    }
  }
  if (profile === 'full') await listSuites(dialogue, 'TLSv1.3', allSuites('TLSv1.3'), limits);
  else await huntSuites(dialogue, 'TLSv1.3', weak, limits);
}

/** Made once: making one costs more than the handshake. It trusts nothing, since trust is judged from the chain. */
let context: tls.SecureContext | null = null;

/**
 * A whole handshake of TLS 1.3 through node:tls, for servers that have no certificate to show below it and for those
 * that do not understand an empty key_share. True when it was done; what it showed is in `seen` then.
 */
export async function shakeHands(dialogue: Dialogue): Promise<boolean> {
  context ??= tls.createSecureContext({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ca: [] });
  const secureContext = context;
  const done = await dialogue.line.connect(
    plain =>
      new Promise<boolean>(resolve => {
        let staple: Buffer | null = null;
        const options = {
          socket: plain,
          servername: dialogue.serverName ?? '',
          secureContext,
          rejectUnauthorized: false,
          requestOCSP: true,
        };
        const socket = tls.connect(options);
        const finish = (isDone: boolean): void => {
          clearTimeout(timer);
          socket.on('error', () => {}); // it ends with the connection under it
          resolve(isDone);
        };
        const timer = setTimeout(() => finish(false), dialogue.line.timeoutMs);
        socket.on('OCSPResponse', (response: Buffer | null) => (staple = response));
        socket.on('error', () => finish(false));
        socket.on('close', () => finish(false));
        socket.on('secureConnect', () => {
          keep(dialogue, socket, staple);
          finish(true);
        });
      }),
  );
  return done === true;
}

function keep(dialogue: Dialogue, socket: tls.TLSSocket, staple: Buffer | null): void {
  const name = socket.getCipher().standardName;
  const suite = SUITES.find(one => one.family === 'TLSv1.3' && one.name === name);
  if (suite !== undefined) dialogue.seen.accepted['TLSv1.3'].add(suite);
  dialogue.seen.protocols['TLSv1.3'] = { state: 'offered', reason: `a handshake was made with ${name}` };
  const chain: Buffer[] = [];
  // the last one of a chain names itself as its issuer
  for (
    let at: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
    at?.raw !== undefined && !chain.some(known => known.equals(at?.raw ?? known));
    at = at.issuerCertificate
  ) {
    chain.push(at.raw);
  }
  keepCertificates(dialogue, chain, staple, { isTodays: true });
}
