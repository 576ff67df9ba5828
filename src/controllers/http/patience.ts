// For how long is a client waited for that takes nothing? Not by the clock: when a replica has stood still (its machine was suspended,
// say), timers come before what the sockets have meanwhile, and it would blame clients for it.

const LOOKS = 10;

/**
 * Calls back when this has not been cancelled, and `progress` has told the same, for so long, while the process ran.
 * @returns cancels it
 */
export function afterRunning(ms: number, overdue: () => void, progress = (): number => 0): () => void {
  let looks = 0;
  let last = progress();
  const looking = setInterval(() => {
    const now = progress();
    if (now !== last) looks = 0;
    else looks++;
    last = now;
    if (looks < LOOKS) return;
    clearInterval(looking);
    overdue();
  }, ms / LOOKS);
  return () => clearInterval(looking);
}
