// What is in the log of a LevelDB database? What was written last; behind it may be zeros, room for what comes.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The path of the log that is written to. */
export async function newestLog(database: string): Promise<string> {
  const logs = (await readdir(database)).filter((file) => file.endsWith('.log'));
  return join(database, logs.sort().at(-1)!);
}

/** Without the zeros at its end. */
export function writtenPart(log: Buffer): Buffer {
  let end = log.length;
  while (end > 0 && log[end - 1] === 0) end--;
  return log.subarray(0, end);
}
