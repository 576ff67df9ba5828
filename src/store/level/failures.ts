// What does it mean that LevelDB fails, and what is to be done? It tells the system's words behind the name of a file.

import { StoreReadError, StoreWriteError } from '../errors.js';

const ADVICE =
  'check the disk; move the folder away and start anew: the replica gets everything from its peers, except writes that ' +
  'only this disk had, so keep the old folder';

/** What was missing: the database is as it was. */
const SHORTAGES: readonly (readonly [words: RegExp, advice: string])[] = [
  [
    /No space left on device|Disk quota exceeded/,
    'the disk is full: make room, and start the replica again; what was answered is on it',
  ],
  [
    /Too many open files/i,
    'there was no file descriptor left, and the disk is well: let the process have more (ulimit -n), and start the replica again ' +
      'with this folder; what was answered is on it',
  ],
];

function shortageIn(message: string | undefined): string | undefined {
  return SHORTAGES.find(([words]) => words.test(message ?? ''))?.[1];
}

export function readFailure(error: unknown, through?: Uint8Array): unknown {
  const { message } = error as Error;
  if (!isOfDisk(error)) return error;
  const shortage = shortageIn(message);
  // What could not be looked at is not damaged, and must not be replaced by what others have.
  if (shortage !== undefined)
    return new Error(`the database can't be read (${message}): ${shortage}`, { cause: error });
  return new StoreReadError(`the database can't be read (${message}): ${ADVICE}`, { cause: error }, through);
}

/** A compaction that meets a block that can't be read makes LevelDB refuse all writes from then on. */
export function writeFailure(error: unknown): unknown {
  const { message } = error as Error;
  if (!isOfDisk(error)) return error;
  const advice = shortageIn(message) ?? ADVICE;
  return new StoreWriteError(`the database takes no more writes (${message}): ${advice}`, { cause: error });
}

/** LevelDB says which file it could not read; it writes to its log only. */
export function isOfTable(error: unknown): boolean {
  const { code, message } = error as { code?: string; message: string };
  return code === 'LEVEL_CORRUPTION' || /\.(?:ldb|sst): /.test(message);
}

function isOfDisk(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'LEVEL_CORRUPTION' || code === 'LEVEL_IO_ERROR';
}

export function openFailure(folder: string, error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  switch (cause?.code) {
    case 'LEVEL_LOCKED':
      return `${folder} is in use by another process; stop it, or choose another folder`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `${folder} is not a folder; move the file away, or choose another folder`;
    case 'LEVEL_CORRUPTION':
      return `${folder} is damaged (${cause.message}); move it away: with a new folder the replica gets all from its peers`;
    default: {
      const shortage = shortageIn(cause?.message);
      if (shortage !== undefined) return `${folder} cannot be opened (${cause?.message}): ${shortage}`;
      return `${folder} cannot be opened as a database: ${cause?.message ?? String(error)}; check its owner and its disk`;
    }
  }
}
