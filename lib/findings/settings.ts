import { DEFAULT_FINDINGS, type CheckId } from '../model/checks';
import type { FindingPer } from '../model/keys';
import type { WeakFrom } from '../model/weak-suites';

/** What makes a vulnerability Finding of a report; properties of certdesk-ssl-scan in docs/contract.md. */
export interface FindingSettings {
  /** Checks that make a Finding. */
  findings: readonly CheckId[];
  weakFrom: WeakFrom;
  findingPer: FindingPer;
}

export const DEFAULT_FINDING_SETTINGS: Readonly<FindingSettings> = {
  findings: DEFAULT_FINDINGS,
  weakFrom: 'insecure',
  findingPer: 'certificate-and-place',
};

/** What Expiry Check looks for; its properties in docs/contract.md. */
export interface ExpirySettings {
  days: number;
  /** Percent of the certificate's lifetime; null = off. Of the two windows the smaller wins. */
  percent: number | null;
  /** Patterns on name, address, issuer and serial number; empty includes everything. */
  include: readonly string[];
  exclude: readonly string[];
}

export const DEFAULT_EXPIRY_SETTINGS: Readonly<ExpirySettings> = { days: 30, percent: null, include: [], exclude: [] };
