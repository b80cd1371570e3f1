import { isCheckId } from '../model/checks';
import { makeEndpoint, type Endpoint } from '../model/endpoint';
import type { Finding } from '../model/finding';
import type { Check, Cipher, Protocol, ProtocolState, Verdict } from '../model/report';
import { BELOW_TLS12, COUNTED, SUITE_CAUSES, suiteCauses, type SuiteCause } from '../model/weak-suites';
import type { FindingSettings } from './settings';

/*
 * A cause is what makes a Finding active, as text that is kept: `192.0.2.7:443 rc4`. Its second word is a check's
 * id or a class of suites (SuiteCause).
 */

/** The checks that answer from the same hellos as the list of suites: undecided ones mean an incomplete list. */
const SUITE_CHECKS: Record<SuiteCause, readonly string[]> = {
  'insecure-suite': ['null-cipher', 'anonymous-cipher', 'export-cipher', 'rc4', 'des'],
  'weak-suite': ['sweet32', 'cbc-beast', 'no-forward-secrecy'],
  'no-forward-secrecy-suite': ['no-forward-secrecy'],
  'suite-below-tls12': ['sslv2', 'sslv3', 'tls10', 'tls11'],
};

/** What was answered at one port. */
export interface Answers {
  endpoint: Pick<Endpoint, 'ip' | 'port'>;
  ciphers: readonly Cipher[];
  checks: readonly Check[];
  /** Null where only the last known evidence is left, which has none. */
  protocols: Readonly<Record<Protocol, ProtocolState>> | null;
}

/** What makes a Finding at one port. */
export function causesAt(answers: Answers, settings: Pick<FindingSettings, 'findings' | 'weakFrom'>): string[] {
  const words: string[] = answers.checks
    .filter(check => check.verdict === 'vulnerable' && settings.findings.includes(check.id))
    .map(check => check.id);
  const counted = COUNTED[settings.weakFrom];
  for (const cause of counted) {
    if (answers.ciphers.some(cipher => suiteCauses(cipher).includes(cause))) words.push(cause);
  }
  return words.map(word => makeCause(answers.endpoint, word));
}

/**
 * Whether a cause is over by what its port answered: its check is `ok` or `not-applicable`; for a class of suites,
 * the list is known to be complete and has none. What is undecided, skipped or missing resolves nothing.
 */
export function isResolved(cause: string, answers: Answers): boolean {
  const word = wordOf(cause);
  const verdicts = new Map<string, Verdict>(answers.checks.map(check => [check.id, check.verdict]));
  const suiteCause = SUITE_CAUSES.find(candidate => candidate === word);
  if (suiteCause === undefined) return isGood(verdicts.get(word));
  if (answers.ciphers.some(cipher => suiteCauses(cipher).includes(suiteCause))) return false;
  const { protocols } = answers;
  const asked = (Object.keys(protocols ?? {}) as Protocol[]).filter(
    protocol => suiteCause !== 'suite-below-tls12' || BELOW_TLS12.includes(protocol),
  );
  if (asked.some(protocol => protocols?.[protocol] === 'cannot-tell')) return false;
  return SUITE_CHECKS[suiteCause].every(id => {
    const verdict = verdicts.get(id);
    return verdict !== 'cannot-tell' && verdict !== 'skipped' && (verdict !== undefined || protocols !== null);
  });
}

/** The causes that a Finding itself shows, for whoever has only the Finding. */
export function causesOfFinding(finding: Pick<Finding, 'endpoints' | 'vulnerabilities' | 'weakCiphers'>): string[] {
  const [first] = finding.endpoints;
  const at = (port: number | undefined): Pick<Endpoint, 'ip' | 'port'> => ({
    ip: first?.ip ?? '',
    port: port ?? first?.port ?? 0,
  });
  const causes = (finding.vulnerabilities ?? []).map(check => makeCause(at(check.port), check.id));
  for (const cipher of finding.weakCiphers ?? []) {
    causes.push(...suiteCauses(cipher).map(cause => makeCause(at(cipher.port), cause)));
  }
  return [...new Set(causes)];
}

/** Whether a cause is of that port. */
export function isCauseAt(cause: string, endpoint: Pick<Endpoint, 'ip' | 'port'>): boolean {
  return cause.startsWith(makeCause(endpoint, ''));
}

/** Whether a cause is about suites; else it is a check's. */
export function isSuiteCause(cause: string): boolean {
  return !isCheckId(wordOf(cause));
}

export function makeCause(endpoint: Pick<Endpoint, 'ip' | 'port'>, word: string): string {
  const { ip, port } = endpoint;
  return `${makeEndpoint({ domain: null, ip, port, starttls: null }).name} ${word}`;
}

function wordOf(cause: string): string {
  return cause.slice(cause.lastIndexOf(' ') + 1);
}

function isGood(verdict: Verdict | undefined): boolean {
  return verdict === 'ok' || verdict === 'not-applicable';
}
