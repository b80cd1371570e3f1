import { readDer } from '../../model/der';
import { context, contextPrimitive, expect, partsOf, partsOfWhole, readTime, TAG, type Part } from './der-parts';
import { mayUseKey, readExtensions, readSigned, type CertificateFields, type Extension } from './fields';
import { RevokedSerials } from './revoked-serials';
import { isSignedWith } from './signature';
import { fullNames } from './sources';

/** What is kept of a revocation list whose signature fits. */
export interface RevocationList {
  thisUpdate: number;
  nextUpdate: number;
  scope: ListScope;
  serials: RevokedSerials;
}

/** What a list covers (issuingDistributionPoint, RFC 5280 section 5.2.5). */
export interface ListScope {
  /** URLs of the distribution points that it is for; null where it is for all. */
  urls: readonly string[] | null;
  only: 'users' | 'authorities' | null;
  /** Certificates revoked for other reasons are on another list. */
  isForSomeReasons: boolean;
}

/** Why a list does not count is half a sentence. */
export type ReadList = { kind: 'list'; list: RevocationList } | { kind: 'unusable'; detail: string };

const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const DELTA_CRL_INDICATOR = '2.5.29.27';

/** Reads a list that `issuer` has to have signed (RFC 5280 sections 5.1 and 6.3.3). Rejects for no bytes whatever. */
export async function readList(der: Buffer, issuer: CertificateFields): Promise<ReadList> {
  try {
    return await read(der, issuer);
  } catch (thrown) {
    if (thrown instanceof RangeError) return unusable('it is malformed');
    throw thrown;
  }
}

const unusable = (detail: string): ReadList => ({ kind: 'unusable', detail });

async function read(der: Buffer, issuer: CertificateFields): Promise<ReadList> {
  const signed = readSigned(partsOfWhole(der));
  const parts = partsOf(readDer(signed.tbs).content);
  if (parts[0]?.tag === TAG.integer) parts.shift(); // version
  const [, name, thisUpdate, ...rest] = parts;
  if (thisUpdate === undefined) throw new RangeError('CRL: no time');
  const nextUpdate = isTime(rest[0]) ? readTime(rest[0]) : null;
  const revoked = rest.find(({ tag }) => tag === TAG.sequence);
  const extensions = readExtensions(rest.find(({ tag }) => tag === context(0)));
  if (!expect(name, TAG.sequence).raw.equals(issuer.subject)) return unusable('it is of another issuer');
  if (nextUpdate === null) return unusable('it does not say how long it holds');
  const foreign = [...extensions].find(([id, { isCritical }]) => isCritical && id !== ISSUING_DISTRIBUTION_POINT);
  if (extensions.has(DELTA_CRL_INDICATOR)) return unusable('it holds the changes to another list only');
  if (foreign !== undefined) return unusable(`it has the critical extension ${foreign[0]}, which is not understood`);
  const scope = readScope(extensions.get(ISSUING_DISTRIBUTION_POINT));
  if (typeof scope === 'string') return unusable(scope);
  if (!mayUseKey(issuer, 'cRLSign')) return unusable('its issuer may not sign lists');
  if (!(await isSignedWith(signed, issuer))) return unusable('its signature does not fit');
  const serials = await RevokedSerials.read(revoked?.content ?? Buffer.of());
  return { kind: 'list', list: { thisUpdate: readTime(thisUpdate), nextUpdate, scope, serials } };
}

function isTime(part: Part | undefined): part is Part {
  return part?.tag === TAG.utcTime || part?.tag === TAG.generalizedTime;
}

/** Why the list can't be used, where its scope says so. */
function readScope(extension: Extension | undefined): ListScope | string {
  const parts = extension === undefined ? [] : partsOfWhole(extension.value);
  const has = (n: number): boolean => parts.some(({ tag, content }) => tag === contextPrimitive(n) && content[0] !== 0);
  if (has(4)) return 'it holds certificates of several issuers';
  if (has(5)) return 'it is for attribute certificates only';
  const name = parts.find(({ tag }) => tag === context(0));
  return {
    urls: name === undefined ? null : fullNames(name.content),
    only: has(1) ? 'users' : has(2) ? 'authorities' : null,
    isForSomeReasons: parts.some(({ tag }) => tag === contextPrimitive(3)),
  };
}
