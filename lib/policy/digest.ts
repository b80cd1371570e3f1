import { patternValues } from '../findings/selection';
import type { Finding, Notification } from '../model/finding';
import { makeMatcher } from '../model/lists';
import type { Recipient } from './settings';

/** A Finding with what the policy says of it. */
export interface Told {
  finding: Finding;
  notification: Notification;
}

/** Who gets what: every address with the Findings that any of its patterns matches, each once. */
export function groupByRecipient(told: readonly Told[], recipients: readonly Recipient[]): Map<string, Told[]> {
  const groups = new Map<string, Told[]>();
  const addresses = [...new Set(recipients.map(({ address }) => address))];
  for (const address of addresses) {
    const matches = makeMatcher(recipients.filter(r => r.address === address).map(({ pattern }) => pattern));
    const own = told.filter(({ finding }) => patternValues(finding.certificate, finding.endpoints).some(matches));
    if (own.length > 0) groups.set(address, own);
  }
  return groups;
}

/** Most urgent first: expiring certificates by days left, then vulnerable places by name, then what is over. */
export function sortTold(told: readonly Told[]): Told[] {
  return told.toSorted((a, b) => compare(rank(a.finding), rank(b.finding)));
}

function rank({ kind, state, certificate, endpoints }: Finding): [number, number, string] {
  const group = state === 'cleared' ? 2 : kind === 'expiry' ? 0 : 1;
  const time = group === 0 ? Date.parse(certificate.notAfter) : 0;
  return [group, time, endpoints[0]?.name ?? certificate.commonName];
}

function compare(a: [number, number, string], b: [number, number, string]): number {
  return a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);
}
