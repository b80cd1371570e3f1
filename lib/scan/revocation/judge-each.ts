import type { Observation, ServedCertificate } from '../observation';
import { nameOf, noCertificate, vulnerableBy } from '../probes/by-certificate';
import { cannotTell, capitalized, notApplicable, ok, some, type Judgement } from '../probes/probe';
import type { RevocationStatus } from './status';

/** The verdict of every served certificate together: revoked before cannot-tell before good before not-applicable. */
export async function judgeEach(
  seen: Observation,
  statusOf: (served: ServedCertificate) => Promise<RevocationStatus>,
): Promise<Judgement> {
  const missing = noCertificate(seen);
  if (missing !== null) return missing;
  const all = await Promise.all(
    seen.served.map(async served => ({ served, ...(await statusOf(served).catch(asCannotTell)) })),
  );
  const say = (kind: RevocationStatus['kind']): { served: ServedCertificate[]; text: string } => {
    const those = all.filter(one => one.kind === kind);
    const texts = those.map(({ served, detail }) => `${nameOf(served)} ${detail}`);
    return { served: those.map(({ served }) => served), text: `${capitalized(some(texts))}.` };
  };
  const kinds = new Set(all.map(({ kind }) => kind));
  if (kinds.has('revoked')) {
    const { served, text } = say('revoked');
    return vulnerableBy(served, text);
  }
  if (kinds.has('cannot-tell')) return cannotTell(say('cannot-tell').text);
  return kinds.has('good') ? ok(say('good').text) : notApplicable(say('not-applicable').text);
}

/** What nobody foresaw is said, and is no all-clear. */
function asCannotTell(thrown: unknown): RevocationStatus {
  return {
    kind: 'cannot-tell',
    detail: `could not be judged: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
  };
}
