import { createHash } from 'node:crypto';
import type { ServedCertificate } from '../observation';
import type { Anchors } from '../trust';
import { download, hostOf } from './download';
import type { CertificateFields } from './fields';
import { Kept, type Found } from './kept';
import { FAILURE_MS, MAX_KEPT_MS, SKEW_MS } from './limits';
import { sayRevoked } from './reasons';
import { readList, type ReadList, type RevocationList } from './revocation-list';
import { crlSources } from './sources';
import { cannotTell, pairOf, type Asking, type RevocationStatus } from './status';

/** The largest lists of public authorities are below. */
const MAX_LIST_BYTES = 32 * 1024 * 1024;
/** A list may take longer than an answer. */
const TIMEOUTS_PER_LIST = 3;
/** Places of one certificate's list that are tried. */
const MAX_PLACES = 3;

/** One list of the largest size has room. */
const lists = new Kept<ReadList>({ entries: 500, bytes: 24 * 1024 * 1024 });

/** By the list that the certificate names, fetched once and kept while it holds. */
export async function crlStatus(
  served: ServedCertificate,
  anchors: Anchors,
  asking: Asking,
): Promise<RevocationStatus> {
  const pair = pairOf(served, anchors);
  if (pair === null) return cannotTell('cannot be read');
  const { urls, isNamed } = crlSources(pair.leaf);
  if (!isNamed) return { verdict: 'not-applicable', detail: 'names no revocation list' };
  if (urls.length === 0) return cannotTell('names no revocation list that HTTP reaches');
  const { leaf, issuer } = pair;
  if (issuer === null) {
    return cannotTell(
      'was signed by an issuer whose certificate was not sent, so that no revocation list can be judged',
    );
  }
  const problems: string[] = [];
  for (const url of urls.slice(0, MAX_PLACES)) {
    const key = `${createHash('sha256').update(issuer.publicKeyInfo).digest('base64')} ${url}`;
    const read = await lists.get(key, asking.signal, signal => fetchList(url, issuer, { ...asking, signal }));
    if (read === null) return cannotTell('was not looked up, since the scan was stopped');
    const whose = `the revocation list of ${hostOf(url)}`;
    const subject = { serialNumber: leaf.serialNumber, urls, isAuthority: served.leaf.x509.ca };
    const said = read.kind === 'list' ? lookUp(read.list, subject, asking.now.getTime()) : read;
    if (said.kind === 'good') return { verdict: 'ok', detail: `is not on ${whose}` };
    if (said.kind === 'revoked') return { verdict: 'vulnerable', detail: `is ${said.detail}, says ${whose}` };
    problems.push(`${whose} does not count: ${said.detail}`);
  }
  return cannotTell(`could not be judged by a revocation list: ${problems.join('; ')}`);
}

async function fetchList(
  url: string,
  issuer: CertificateFields,
  { timeoutMs, signal }: Asking,
): Promise<Found<ReadList>> {
  const answer = await download({
    url,
    accept: 'application/pkix-crl',
    maxBytes: MAX_LIST_BYTES,
    timeoutMs,
    totalMs: TIMEOUTS_PER_LIST * timeoutMs,
    signal,
  });
  const value: ReadList =
    answer.kind === 'failed' ? { kind: 'unusable', detail: answer.reason } : await readList(answer.body, issuer);
  const now = Date.now();
  if (value.kind === 'unusable' || value.list.nextUpdate <= now) return { value, until: now + FAILURE_MS };
  return { value, until: Math.min(value.list.nextUpdate, now + MAX_KEPT_MS), bytes: value.list.serials.bytes };
}

interface Subject {
  serialNumber: Buffer;
  /** The places where the certificate says that its list is. */
  urls: readonly string[];
  isAuthority: boolean;
}

/** What the list says of a certificate (RFC 5280 section 6.3.3). */
export function lookUp(
  { thisUpdate, nextUpdate, scope, serials }: RevocationList,
  { serialNumber, urls, isAuthority }: Subject,
  now: number,
): { kind: 'revoked' | 'unusable'; detail: string } | { kind: 'good' } {
  const unusable = (detail: string): ReturnType<typeof lookUp> => ({ kind: 'unusable', detail });
  if (thisUpdate > now + SKEW_MS) return unusable(`it holds from ${new Date(thisUpdate).toISOString()} on only`);
  if (nextUpdate < now - SKEW_MS) return unusable(`it expired at ${new Date(nextUpdate).toISOString()}`);
  if (scope.urls !== null && !scope.urls.some(url => urls.includes(url))) {
    return unusable('it is the list of another distribution point');
  }
  if (scope.only !== null && (scope.only === 'authorities') !== isAuthority) {
    return unusable(`it is for ${scope.only} only`);
  }
  const revocation = serials.find(serialNumber);
  if (revocation !== null) return { kind: 'revoked', detail: sayRevoked(revocation.at, revocation.reason) };
  if (scope.isForSomeReasons) return unusable('it is for some reasons only');
  return { kind: 'good' };
}
