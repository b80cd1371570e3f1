import { createHash } from 'node:crypto';
import type { ServedCertificate } from '../observation';
import type { Anchors } from '../trust';
import { download, hostOf } from './download';
import { Kept, type Found } from './kept';
import { FAILURE_MS, MAX_KEPT_MS } from './limits';
import { judgeAnswer, MAX_ANSWER_BYTES, type OcspJudgement, type OcspQuestion } from './ocsp-answer';
import { writeOcspRequest } from './ocsp-request';
import { ocspSources } from './sources';
import { cannotTell, pairOf, type Asking, type RevocationStatus } from './status';

/** Responders of one certificate that are asked; more than one is rare. */
const MAX_RESPONDERS = 2;

/** An entry is a sentence; 1,000 of them with their keys are about 0.5 MB. */
const answers = new Kept<OcspJudgement>({ entries: 1000 });
const staples = new Kept<OcspJudgement>({ entries: 1000 });

/** What the answer stapled to a certificate says; null where there is none, or the scan was stopped. */
export async function judgeStaple(
  { leaf, staple }: Pick<ServedCertificate, 'leaf' | 'staple'>,
  question: OcspQuestion,
  signal: AbortSignal,
): Promise<OcspJudgement | null> {
  if (staple === null) return null;
  const key = `${leaf.certificate.fingerprint256} ${createHash('sha256').update(staple).digest('base64')}`;
  return staples.get(key, signal, async () => keepable(await judgeAnswer(staple, question)));
}

/** By the answer stapled to it when that counts, else by asking the responder that the certificate names. */
export async function ocspStatus(
  served: ServedCertificate,
  anchors: Anchors,
  asking: Asking,
): Promise<RevocationStatus> {
  const pair = pairOf(served, anchors);
  if (pair === null) return cannotTell('cannot be read');
  const { urls, isNamed } = ocspSources(pair.leaf);
  if (served.staple === null && !isNamed) return { verdict: 'not-applicable', detail: 'names no OCSP responder' };
  const { leaf, issuer } = pair;
  if (issuer === null) {
    return cannotTell('was signed by an issuer whose certificate was not sent, so that no OCSP answer can be judged');
  }
  const question = { leaf, issuer, now: asking.now };
  const staple = await judgeStaple(served, question, asking.signal);
  if (staple !== null && staple.kind !== 'unusable') return tell(staple, 'the OCSP answer stapled to it');
  const problems = staple === null ? [] : [`the OCSP answer stapled to it does not count: ${staple.detail}`];
  if (urls.length === 0)
    problems.push(isNamed ? 'names no OCSP responder that speaks HTTP' : 'names no OCSP responder');
  for (const url of urls.slice(0, MAX_RESPONDERS)) {
    const key = `${served.leaf.certificate.fingerprint256} ${url}`;
    const answer = await answers.get(key, asking.signal, signal => ask(url, question, { ...asking, signal }));
    if (answer === null) return cannotTell('was not asked for, since the scan was stopped');
    const responder = `the OCSP responder ${hostOf(url)}`;
    if (answer.kind !== 'unusable') return tell(answer, responder);
    problems.push(`${responder} gave no answer that counts: ${answer.detail}`);
  }
  return cannotTell(`could not be judged by OCSP: ${problems.join('; ')}`);
}

async function ask(url: string, question: OcspQuestion, { timeoutMs, signal }: Asking): Promise<Found<OcspJudgement>> {
  const answer = await download({
    url,
    post: { type: 'application/ocsp-request', body: writeOcspRequest(question.leaf, question.issuer) },
    accept: 'application/ocsp-response',
    maxBytes: MAX_ANSWER_BYTES,
    timeoutMs,
    totalMs: timeoutMs,
    signal,
  });
  if (answer.kind === 'failed') return keepable({ kind: 'unusable', detail: answer.reason });
  return keepable(await judgeAnswer(answer.body, question));
}

function keepable(value: OcspJudgement): Found<OcspJudgement> {
  const now = Date.now();
  if (value.kind === 'unusable') return { value, until: now + FAILURE_MS };
  return { value, until: Math.min(value.validUntil, now + MAX_KEPT_MS) };
}

function tell({ kind, detail }: Exclude<OcspJudgement, { kind: 'unusable' }>, whose: string): RevocationStatus {
  return { verdict: kind === 'revoked' ? 'vulnerable' : 'ok', detail: `is ${detail}, says ${whose}` };
}
