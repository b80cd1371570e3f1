import type { Observation, ServedCertificate } from '../observation';
import { nameOf, noCertificate, notAllSeen, vulnerableBy } from '../probes/by-certificate';
import { cannotTell, capitalized, notApplicable, ok, some, type Judgement } from '../probes/probe';
import type { RevocationStatus } from './status';

/** Every served certificate by itself, and together the worst of it: cannot-tell before ok before not-applicable. */
export async function judgeEach(
  seen: Observation,
  statusOf: (served: ServedCertificate) => Promise<RevocationStatus>,
): Promise<Judgement> {
  const missing = noCertificate(seen);
  if (missing !== null) return missing;
  const all = await Promise.all(
    seen.served.map(async served => ({ served, ...(await statusOf(served).catch(asCannotTell)) })),
  );
  const those = (verdict: RevocationStatus['verdict']): typeof all => all.filter(one => one.verdict === verdict);
  const vulnerable = those('vulnerable');
  if (vulnerable.length > 0) {
    return vulnerableBy(
      vulnerable.map(({ served }) => served),
      say(vulnerable),
    );
  }
  const [open, fine] = [those('cannot-tell'), those('ok')];
  if (open.length > 0) return cannotTell(say(open));
  return notAllSeen(seen) ?? (fine.length > 0 ? ok(say(fine)) : notApplicable(say(all)));
}

function say(those: readonly { served: ServedCertificate; detail: string }[]): string {
  return `${capitalized(some(those.map(({ served, detail }) => `${nameOf(served)} ${detail}`)))}.`;
}

/** What nobody foresaw is said, and is no all-clear. */
function asCannotTell(thrown: unknown): RevocationStatus {
  const detail = `could not be judged: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  return { verdict: 'cannot-tell', detail };
}
