/** Polls until `isTrue`, or fails saying what was waited for. */
export async function waitFor(
  isTrue: () => boolean | Promise<boolean>,
  withinMs: number,
  what: () => string,
): Promise<void> {
  const limit = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > limit) throw new Error(`waited ${withinMs} ms for ${what()}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
