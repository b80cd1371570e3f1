import { createHash } from 'node:crypto';
import { readOid } from '../../model/der';
import {
  context,
  contextPrimitive,
  expect,
  partsOf,
  partsOfWhole,
  readTime,
  TAG,
  withoutZeros,
  type Part,
} from './der-parts';
import { hasPurpose, mayUseKey, readFields, readSigned, type CertificateFields, type Signed } from './fields';
import { SKEW_MS } from './limits';
import { sayRevoked } from './reasons';
import { isSignedWith } from './signature';

/** What an OCSP answer says of one certificate. */
export type OcspJudgement =
  | { kind: 'good' | 'revoked'; detail: string; validUntil: number }
  /** It says nothing that counts; `detail` is half a sentence: `it expired at …`. */
  | { kind: 'unusable'; detail: string };

export interface OcspQuestion {
  leaf: CertificateFields;
  issuer: CertificateFields;
  now: Date;
}

/** Real ones are 300 bytes to 3 KB. */
export const MAX_ANSWER_BYTES = 64 * 1024;
/** Of an answer that does not say how long it holds, as browsers have it. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000;
/** Certificates sent along that are looked at. */
const MAX_CERTIFICATES = 8;

const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
/** OCSPResponseStatus (RFC 6960 section 4.2.1). */
const STATUS_WORDS: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Judges an OCSP answer (RFC 6960 sections 3.2 and 4.2). Never rejects, whatever the bytes are. */
export async function judgeAnswer(der: Buffer, question: OcspQuestion): Promise<OcspJudgement> {
  if (der.length > MAX_ANSWER_BYTES) return unusable('it is too large');
  try {
    const answer = readAnswer(der);
    if (typeof answer === 'string') return unusable(answer);
    const single = answer.singles.find(one => isFor(one, question));
    if (single === undefined) return unusable('it is for another certificate');
    const { status, thisUpdate, nextUpdate } = single;
    const problem = problemOfTime(single, question.now.getTime());
    if (problem !== null) return unusable(problem);
    const signer = await findSigner(answer, question);
    if (signer === null) return unusable('it is signed by nobody whom the issuer lets answer');
    if (!(await isSignedWith(answer, signer))) return unusable('its signature does not fit');
    if (status === null) return unusable('it says that the certificate is unknown');
    return { ...status, validUntil: nextUpdate ?? thisUpdate + MAX_AGE_MS };
  } catch (thrown) {
    if (thrown instanceof RangeError) return unusable('it is malformed');
    throw thrown;
  }
}

const unusable = (detail: string): OcspJudgement => ({ kind: 'unusable', detail });

/** BasicOCSPResponse. */
interface Answer extends Signed {
  /** ResponderID, still tagged. */
  responder: Part;
  singles: SingleAnswer[];
  certificates: Part[];
}

interface SingleAnswer {
  hash: string | undefined;
  issuerNameHash: Buffer;
  issuerKeyHash: Buffer;
  serialNumber: Buffer;
  /** Null for `unknown`. */
  status: { kind: 'good' | 'revoked'; detail: string } | null;
  thisUpdate: number;
  nextUpdate: number | null;
}

/** Why there is no answer, where the responder says so. */
function readAnswer(der: Buffer): Answer | string {
  const [statusPart, bytes] = partsOfWhole(der);
  const status = expect(statusPart, TAG.enumerated).content[0] ?? -1;
  if (status !== 0) return `it says ${STATUS_WORDS[status] ?? `status ${status}`}`;
  const [type, response] = partsOfWhole(expect(bytes, context(0)).content);
  if (readOid(expect(type, TAG.oid).content) !== BASIC_RESPONSE) return 'it is of a type that nobody knows';
  const whole = partsOfWhole(expect(response, TAG.octetString).content);
  const signed = readSigned(whole);
  const data = partsOfWhole(signed.tbs);
  if (data[0]?.tag === context(0)) data.shift(); // version
  const [responder, , singles] = data;
  if (responder === undefined) throw new RangeError('OCSP: no responder');
  return {
    ...signed,
    responder,
    singles: partsOf(expect(singles, TAG.sequence).content).map(readSingle),
    certificates: whole[3] === undefined ? [] : partsOfWhole(expect(whole[3], context(0)).content),
  };
}

function readSingle(part: Part): SingleAnswer {
  const [id, status, thisUpdate, ...rest] = partsOf(expect(part, TAG.sequence).content);
  const [algorithm, nameHash, keyHash, serial] = partsOf(expect(id, TAG.sequence).content);
  const nextUpdate = rest.find(({ tag }) => tag === context(0));
  return {
    hash: HASHES[readOid(expect(partsOf(expect(algorithm, TAG.sequence).content)[0], TAG.oid).content)],
    issuerNameHash: expect(nameHash, TAG.octetString).content,
    issuerKeyHash: expect(keyHash, TAG.octetString).content,
    serialNumber: withoutZeros(expect(serial, TAG.integer).content),
    status: readStatus(status),
    thisUpdate: readTime(expect(thisUpdate, TAG.generalizedTime)),
    nextUpdate: nextUpdate === undefined ? null : readTime(onlyPart(nextUpdate)),
  };
}

function readStatus(part: Part | undefined): SingleAnswer['status'] {
  if (part?.tag === contextPrimitive(0)) return { kind: 'good', detail: 'good' };
  if (part?.tag === contextPrimitive(2)) return null;
  const [time, reason] = partsOf(expect(part, context(1)).content);
  const at = readTime(expect(time, TAG.generalizedTime));
  const code = reason === undefined ? null : (expect(onlyPart(reason), TAG.enumerated).content[0] ?? null);
  return { kind: 'revoked', detail: sayRevoked(at, code) };
}

function onlyPart({ content }: Part): Part {
  const [part] = partsOf(content);
  if (part === undefined) throw new RangeError('DER: nothing inside');
  return part;
}

function isFor(single: SingleAnswer, { leaf, issuer }: OcspQuestion): boolean {
  const { hash } = single;
  if (hash === undefined || !single.serialNumber.equals(leaf.serialNumber)) return false;
  const hashed = (bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();
  return single.issuerNameHash.equals(hashed(leaf.issuer)) && single.issuerKeyHash.equals(hashed(issuer.publicKey));
}

function problemOfTime({ thisUpdate, nextUpdate }: SingleAnswer, now: number): string | null {
  if (thisUpdate > now + SKEW_MS) return `it holds from ${new Date(thisUpdate).toISOString()} on only`;
  const end = nextUpdate ?? thisUpdate + MAX_AGE_MS;
  return end < now - SKEW_MS ? `it expired at ${new Date(end).toISOString()}` : null;
}

/** Whose key the answer must be signed with: the issuer's, or that of one whom it let answer (section 4.2.2.2). */
async function findSigner(
  { responder, certificates }: Answer,
  question: OcspQuestion,
): Promise<CertificateFields | null> {
  const { issuer, now } = question;
  if (isResponder(responder, issuer)) return issuer;
  for (const { raw } of certificates.slice(0, MAX_CERTIFICATES)) {
    const delegated = readFields(raw);
    const isFit =
      isResponder(responder, delegated) &&
      delegated.issuer.equals(issuer.subject) &&
      delegated.notBefore <= now.getTime() + SKEW_MS &&
      delegated.notAfter >= now.getTime() - SKEW_MS &&
      hasPurpose(delegated, OCSP_SIGNING) &&
      mayUseKey(delegated, 'digitalSignature');
    if (isFit && (await isSignedWith(delegated, issuer))) return delegated;
  }
  return null;
}

/** ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }, the latter SHA-1 of the key. */
function isResponder(responder: Part, { subject, publicKey }: CertificateFields): boolean {
  if (responder.tag === context(1)) return responder.content.equals(subject);
  if (responder.tag !== context(2)) return false;
  return onlyPart(responder).content.equals(createHash('sha1').update(publicKey).digest());
}
