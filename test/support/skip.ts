/** Reasons of what was set aside, for the last lines of the test run. */
export const skipReasons = new Set<string>();

/** Sets the running test or suite aside; the reporter says why at the end. */
export function skip(context: Mocha.Context, reason: string): never {
  skipReasons.add(reason);
  context.skip();
}
