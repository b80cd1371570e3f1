import type { NodeAPI } from 'node-red';
import { DEFAULT_FINDING_SETTINGS, type FindingSettings } from '../../lib/findings/settings';
import { isCheckId, type CheckId } from '../../lib/model/checks';
import { CertDeskError } from '../../lib/model/errors';
import { DEFAULT_SCAN_SETTINGS, type ScanSettings } from '../../lib/scan/settings';
import { choice, list, number, type Config } from './config';
import { tlsOptions } from './core-nodes';

/** What the properties of certdesk-ssl-scan say. */
export interface ScanConfig {
  source: 'targets' | 'repository';
  scan: ScanSettings;
  findings: FindingSettings;
}

/** Throws CONFIG naming the property that is wrong. */
export function readScanConfig(RED: NodeAPI, config: Config): ScanConfig {
  const listed = checkIds(config, 'findings');
  const findings = listed.length > 0 ? listed : DEFAULT_FINDING_SETTINGS.findings;
  const weakFrom = choice(config, 'weakFrom', ['insecure', 'no-forward-secrecy', 'weak']);
  return {
    source: choice(config, 'source', ['targets', 'repository']),
    scan: {
      concurrency: number(config, 'concurrency', DEFAULT_SCAN_SETTINGS.concurrency, { min: 1, max: 10_000 }),
      perHost: number(config, 'perHost', DEFAULT_SCAN_SETTINGS.perHost, { min: 1, max: 100 }),
      timeoutMs: number(config, 'timeoutMs', DEFAULT_SCAN_SETTINGS.timeoutMs, { min: 100, max: 300_000 }),
      profile: choice(config, 'profile', ['quick', 'full']),
      checks: checkIds(config, 'checks'),
      completeFor: { findings, weakFrom },
      ca: [tlsOptions(RED, config).ca].filter(pem => pem !== undefined),
    },
    findings: {
      findings,
      weakFrom,
      findingPer: choice(config, 'findingPer', ['certificate-and-place', 'place', 'place-and-port']),
    },
  };
}

function checkIds(config: Config, name: string): CheckId[] {
  return list(config, name).map(id => {
    if (isCheckId(id)) return id;
    throw new CertDeskError('CONFIG', `${name}: "${id}" is no check. The help lists the checks by their ids.`);
  });
}
