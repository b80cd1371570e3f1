const TELLING_MS = 7 * 24 * 60 * 60 * 1000;

/** Whether runs still say `cleared`: for seven days, so that one run that goes wrong does not swallow it. */
export function isTellingCleared(clearedAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(clearedAt) <= TELLING_MS;
}
