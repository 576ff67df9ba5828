// For how long is a client waited for that takes nothing? Not by the clock: when a replica has stood still (its machine was suspended,
// say), timers come before what the sockets have meanwhile, and it would blame clients for it.

const LOOKS = 10;

/**
 * Calls back when this has not been cancelled for so long, while the process ran.
 * @returns cancels it
 */
export function afterRunning(ms: number, overdue: () => void): () => void {
  let looks = 0;
  const looking = setInterval(() => {
    if (++looks < LOOKS) return;
    clearInterval(looking);
    overdue();
  }, ms / LOOKS);
  return () => clearInterval(looking);
}
