/** Clocks differ. */
export const SKEW_MS = 5 * 60 * 1000;
/** What did not work is not tried again for so long. */
export const FAILURE_MS = 5 * 60 * 1000;
/** However long an answer or a list says that it holds, a newer one may say something else. */
export const MAX_KEPT_MS = 12 * 60 * 60 * 1000;
