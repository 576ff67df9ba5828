// LevelDB makes and merges its table files on a thread of its own, for all databases of a process. A request that finds both
// busy should not share the processor evenly with it. LevelDB can't be told so, but Linux can: there a thread has a priority.

import { readdir } from 'node:fs/promises';
import { constants, getPriority, setPriority } from 'node:os';

/** By this much nicer a thread gets a tenth of what one beside it gets that has as much to do (sched(7)). */
const NICER = 10;

/**
 * @param before the threads before the database was opened: LevelDB starts its own at once when there is something to merge
 * @param work makes LevelDB start it now; otherwise it starts when there is first something to do
 */
export async function lowerBackgroundThread(before: readonly number[], work: () => Promise<void>): Promise<void> {
  if (before.length === 0) return;
  try {
    await work();
    const [started, ...others] = (await threadIds()).filter((id) => !before.includes(id));
    // Another's thread is left as it is.
    if (started === undefined || others.length > 0) return;
    setPriority(started, Math.min(constants.priority.PRIORITY_LOW, getPriority() + NICER));
  } catch {
    // A database that can't do this says so at the next write; one that may not has its thread at the priority of all.
  }
}

/** Of this process; none where there is no /proc. That it is read by a thread of Node's pool starts all of the pool's. */
export async function threadIds(): Promise<readonly number[]> {
  const names = await readdir('/proc/self/task').catch(() => []);
  return names.map(Number);
}
