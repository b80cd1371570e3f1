import tls from 'node:tls';
import type { Dialogue } from './dialogue';
import { keepCertificates } from './keep';
import { hasAnswered, KINDS, type CertificateKind } from './observation';
import { huntSuites, listSuites, type HuntLimits } from './suite-hunt';
import { allSuites, weakSuites } from './suites/lists';
import { SUITES } from './suites/suites';
import { conclude, PROTOCOL_VERSION } from './reply';

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
        ? reply.alert === PROTOCOL_VERSION || (hasAnswered(seen) && !seen.speaksTls13)
        : reply.kind === 'unknown' && (reply.how === 'silent' || reply.how === 'stopped');
    if (reply.kind !== 'hit' && (isClear || (await shakeHands(dialogue)) !== 'done')) {
      conclude(seen, ['TLSv1.3'], reply);
      return;
    }
  }
  if (profile === 'full') await listSuites(dialogue, 'TLSv1.3', allSuites('TLSv1.3'), limits);
  else await huntSuites(dialogue, 'TLSv1.3', weak, limits);
}

/** How a handshake ended: by its end, by an alert that says no, or with neither. */
type Outcome = 'done' | 'refused' | 'unanswered';

/** How a certificate of any kind may be signed itself (RFC 8446 section 4.2.3); in OpenSSL's words. */
const ANY_CHAIN = 'RSA+SHA256:RSA+SHA384:RSA+SHA512';
const SIGNATURES: Record<CertificateKind, string> = {
  RSA: `RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:${ANY_CHAIN}`,
  ECDSA: `ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:${ANY_CHAIN}`,
};

/** Made once: making one costs more than the handshake. They trust nothing, since trust is judged from the chain. */
const contexts = new Map<CertificateKind | null, tls.SecureContext>();

function contextFor(kind: CertificateKind | null): tls.SecureContext {
  const known = contexts.get(kind);
  if (known !== undefined) return known;
  const context = tls.createSecureContext({
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ca: [],
    ...(kind === null ? {} : { sigalgs: SIGNATURES[kind] }),
  });
  contexts.set(kind, context);
  return context;
}

/**
 * In TLS 1.3 no suite decides the kind of certificate, but the signatures do that a client takes: a server that speaks
 * nothing else is asked for the kind that it did not show.
 */
export async function askOtherSignatures(dialogue: Dialogue): Promise<void> {
  const { seen } = dialogue;
  for (const kind of KINDS) {
    if (seen.served.some(({ leaf }) => kindOf(leaf.certificate.keyType) === kind)) continue;
    const outcome = await shakeHands(dialogue, kind);
    const isUnanswered = outcome === 'unanswered' && (await shakeHands(dialogue, kind)) === 'unanswered';
    if (isUnanswered) seen.kindsUnanswered.push(kind);
  }
}

function kindOf(keyType: string): CertificateKind {
  return keyType.startsWith('RSA') ? 'RSA' : 'ECDSA';
}

/**
 * A whole handshake of TLS 1.3 through node:tls, for servers that have no certificate to show below it and for those
 * that do not understand an empty key_share; what it showed is in `seen` when it is `done`. `kind` asks for a certificate
 * of that kind alone.
 */
export async function shakeHands(dialogue: Dialogue, kind: CertificateKind | null = null): Promise<Outcome> {
  const secureContext = contextFor(kind);
  const outcome = await dialogue.line.connect(
    plain =>
      new Promise<Outcome>(resolve => {
        let staple: Buffer | null = null;
        const options = {
          socket: plain,
          servername: dialogue.serverName ?? '',
          secureContext,
          rejectUnauthorized: false,
          requestOCSP: true,
        };
        const socket = tls.connect(options);
        const finish = (how: Outcome): void => {
          clearTimeout(timer);
          socket.on('error', () => {}); // it ends with the connection under it
          resolve(how);
        };
        const timer = setTimeout(() => finish('unanswered'), dialogue.line.timeoutMs);
        socket.on('OCSPResponse', (response: Buffer | null) => (staple = response));
        socket.on('error', (error: NodeJS.ErrnoException) => finish(isRefusal(error) ? 'refused' : 'unanswered'));
        socket.on('close', () => finish('unanswered'));
        socket.on('secureConnect', () => {
          keep(dialogue, socket, staple, kind === null);
          finish('done');
        });
      }),
  );
  return typeof outcome === 'string' ? outcome : 'unanswered';
}

/** An alert that says: none of this. */
function isRefusal({ code }: NodeJS.ErrnoException): boolean {
  return /ALERT_(HANDSHAKE_FAILURE|ILLEGAL_PARAMETER|INSUFFICIENT_SECURITY)$/.test(code ?? '');
}

function keep(dialogue: Dialogue, socket: tls.TLSSocket, staple: Buffer | null, isTodays: boolean): void {
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
  keepCertificates(dialogue, chain, staple, { isTodays });
}
