// What is in the log of a LevelDB database? What was written last; behind it may be zeros, room for what comes. And what is in its LOG,
// in which it tells what it does?

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The path of the log that is written to. */
export async function newestLog(database: string): Promise<string> {
  const logs = (await readdir(database)).filter((file) => file.endsWith('.log'));
  return join(database, logs.sort().at(-1)!);
}

/** How many tables LevelDB has made of its buffers since it was opened, of those that have something in them. */
export async function tablesMade(database: string): Promise<number> {
  const told = await readFile(join(database, 'LOG'), 'utf8');
  return told.match(/Level-0 table #\d+: [1-9]\d* bytes OK/g)?.length ?? 0;
}

/** Without the zeros at its end. */
export function writtenPart(log: Buffer): Buffer {
  let end = log.length;
  while (end > 0 && log[end - 1] === 0) end--;
  return log.subarray(0, end);
}
