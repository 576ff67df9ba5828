// How much do the files of a database take?

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all files of a folder that has no folders in it. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of await readdir(folder)) {
    // A compaction may remove a file meanwhile.
    const { size } = await stat(join(folder, file)).catch(() => ({ size: 0 }));
    bytes += size;
  }
  return bytes;
}
