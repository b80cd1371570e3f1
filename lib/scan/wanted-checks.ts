import { CHECK_IDS, QUICK_CHECKS, type CheckId } from '../model/checks';
import type { ScanSettings } from './settings';

/** The checks that a scan makes: those asked for by id, else those of the profile. */
export function wantedChecks({ profile, checks }: Pick<ScanSettings, 'profile' | 'checks'>): ReadonlySet<CheckId> {
  if (checks.length > 0) return new Set(checks);
  return new Set(profile === 'full' ? CHECK_IDS : QUICK_CHECKS);
}
