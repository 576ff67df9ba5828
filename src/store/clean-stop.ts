// Was the database closed in order, when its writes are not synced?
//
// Without a sync, a loss of power can take the last commits back, and their dots with them: other replicas may have them.
// So a folder that was opened in such a mode carries a marker until it is closed in order. Who finds the marker must not
// go on as the same actor.

import { open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Its name in the data folder. */
export const UNCLEAN_MARKER = 'opened-without-sync';

/** Whether the last life ended without closing. */
export async function wasLeftUnclean(folder: string): Promise<boolean> {
  return stat(join(folder, UNCLEAN_MARKER)).then(
    () => true,
    () => false,
  );
}

/** On disk when this resolves. */
export async function markUnclean(folder: string): Promise<void> {
  const path = join(folder, UNCLEAN_MARKER);
  for (const name of [path, dirname(path)]) {
    const file = await open(name, name === path ? 'w' : 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Everything is on disk: the next life may go on. */
export async function markClean(folder: string): Promise<void> {
  await rm(join(folder, UNCLEAN_MARKER), { force: true });
}
