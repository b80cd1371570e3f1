import { CHECK_IDS, type CheckId } from '../../model/checks';
import type { Check } from '../../model/report';
import type { Dialogue } from '../dialogue';
import type { Observation } from '../observation';
import type { ScanSettings } from '../settings';
import { wantedChecks } from '../wanted-checks';
import { anonymousCipher } from './anonymous-cipher';
import { cbcBeast } from './cbc-beast';
import { ccsInjection } from './ccs-injection';
import { clientRenegotiation } from './client-renegotiation';
import { crime } from './crime';
import { des } from './des';
import { drown } from './drown';
import { expired } from './expired';
import { exportCipher } from './export-cipher';
import { freak } from './freak';
import { heartbleed } from './heartbleed';
import { insecureRenegotiation } from './insecure-renegotiation';
import { logjam } from './logjam';
import { mustStaple } from './must-staple';
import { nameMismatch } from './name-mismatch';
import { noFallbackScsv } from './no-fallback-scsv';
import { noForwardSecrecy } from './no-forward-secrecy';
import { noPostQuantum } from './no-post-quantum';
import { noTls13 } from './no-tls13';
import { notYetValid } from './not-yet-valid';
import { nullCipher } from './null-cipher';
import { paddingOracle20162107 } from './padding-oracle-2016-2107';
import { poodleSsl } from './poodle-ssl';
import { poodleTls } from './poodle-tls';
import { cannotTell, type AskingProbe, type Judgement, type Probe } from './probe';
import { rc4 } from './rc4';
import { revokedCrl } from './revoked-crl';
import { revokedOcsp } from './revoked-ocsp';
import { robot } from './robot';
import { selfSigned } from './self-signed';
import { sslv2 } from './sslv2';
import { sslv3 } from './sslv3';
import { sweet32 } from './sweet32';
import { ticketbleed } from './ticketbleed';
import { tls10 } from './tls10';
import { tls11 } from './tls11';
import { untrusted } from './untrusted';
import { weakKey } from './weak-key';
import { weakSignature } from './weak-signature';

/** Every check that this version makes; a new one is one file and one line here. */
const PROBES: readonly Probe[] = [
  poodleSsl,
  sslv3,
  expired,
  notYetValid,
  nameMismatch,
  selfSigned,
  untrusted,
  weakSignature,
  weakKey,
  sslv2,
  tls10,
  tls11,
  noTls13,
  nullCipher,
  anonymousCipher,
  exportCipher,
  rc4,
  des,
  sweet32,
  cbcBeast,
  noForwardSecrecy,
  drown,
  freak,
  logjam,
  crime,
  insecureRenegotiation,
];
/** Those that ask themselves. */
const ASKING: readonly AskingProbe[] = [
  revokedCrl,
  revokedOcsp,
  mustStaple,
  heartbleed,
  ccsInjection,
  poodleTls,
  robot,
  clientRenegotiation,
  noFallbackScsv,
  ticketbleed,
  noPostQuantum,
];

const BY_ID: ReadonlyMap<CheckId, Probe> = new Map(PROBES.map(probe => [probe.id, probe]));

/** What the checks that ask themselves have found. */
export type Answers = ReadonlyMap<CheckId, Judgement>;

/** Makes the checks that ask themselves, as far as they are wanted; but see `askLast`. */
export function askChecks(dialogue: Dialogue, wanted: ReadonlySet<CheckId>): Promise<Answers> {
  return askEach(ASKING, dialogue, wanted);
}

/** Makes the check that comes when everything else is known: a server that is open to it may not recover from it. */
export function askLast(dialogue: Dialogue, wanted: ReadonlySet<CheckId>): Promise<Answers> {
  return askEach([paddingOracle20162107], dialogue, wanted);
}

async function askEach(
  probes: readonly AskingProbe[],
  dialogue: Dialogue,
  wanted: ReadonlySet<CheckId>,
): Promise<Answers> {
  const asked = probes.filter(({ id }) => wanted.has(id));
  return new Map(await Promise.all(asked.map(async probe => [probe.id, await probe.ask(dialogue)] as const)));
}

/** Every check once, in the order of CHECK_IDS; what was not asked for says `skipped`. */
export function makeChecks(
  seen: Observation,
  settings: Pick<ScanSettings, 'checks' | 'profile'>,
  answers: Answers,
): Check[] {
  const wanted = wantedChecks(settings);
  const { port } = seen.endpoint;
  return CHECK_IDS.map(id => {
    if (!wanted.has(id)) return { id, verdict: 'skipped', detail: 'not asked for', port };
    const judgement = answers.get(id) ?? BY_ID.get(id)?.judge(seen) ?? cannotTell('It was not asked.');
    return { id, ...judgement, port };
  });
}
