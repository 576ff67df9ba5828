// How does a test wait for what happens by itself? It looks, again and again, until a deadline that means failure.

const LOOK_EVERY_MS = 10;
const DEADLINE_MS = 10_000;

/** Resolves when `holds` does; an error of `holds` counts as "not yet". */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  let reason = '';
  while (performance.now() < end) {
    try {
      if (await holds()) return;
      reason = '';
    } catch (error) {
      reason = `: ${(error as Error).message}`;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`not within ${deadlineMs} ms: ${what}${reason}`);
}
