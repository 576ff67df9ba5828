// When is a restored database there? All at once: it grows beside its place, and is renamed into it when it is whole and on
// disk. Until then a node that starts here finds nothing, and whatever fails leaves the folder as it was: what can fail comes
// before the renaming, and what must come after it takes it back.

import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { markClean, UNCLEAN_MARKER } from '../store/clean-stop.js';

/** What a node's data folder has in it; `store.module.ts` looks for the database there. */
const DATABASE = 'level';

const GROWING = 'level.restoring';

/** What an empty file system has, and what a node without synced writes leaves when its database is moved away. */
const HARMLESS = ['lost+found', UNCLEAN_MARKER];

/** Something is in the folder that must not be lost: nothing was changed. The message says what to do. */
export class FolderInUseError extends Error {
  readonly code = 'FOLDER_IN_USE';
}

/** The disk fails in the very moment in which the database comes to its place: it may be there. The message says what to do. */
export class FolderUnsettledError extends Error {
  readonly code = 'FOLDER_UNSETTLED';
}

export class RestoredFolder {
  private constructor(
    private readonly data: string,
    /** The outermost folder that had to be made; undefined when the data folder was there. */
    private readonly made: string | undefined,
  ) {}

  /**
   * Makes room for a database in a data folder without one, which is made if need be.
   * @throws FolderInUseError
   */
  static async claim(data: string): Promise<RestoredFolder> {
    const folder = resolve(data);
    await requireNothingToLose(folder);
    const restored = new RestoredFolder(folder, await mkdir(folder, { recursive: true }));
    // Of two that restore here at the same time, one makes it.
    await mkdir(restored.growing).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? brokenOff(folder) : error;
    });
    try {
      for (const parent of restored.parentsWithNews()) await sync(parent);
    } catch (error) {
      await restored.discard();
      throw error;
    }
    return restored;
  }

  /** Where the database is to be written. */
  get growing(): string {
    return join(this.data, GROWING);
  }

  /**
   * Puts the database, closed by now, into its place, with everything on disk.
   * @throws FolderUnsettledError; after any other error it is not there
   */
  async publish(): Promise<void> {
    for (const file of await readdir(this.growing)) await sync(join(this.growing, file));
    await sync(this.growing);
    const place = join(this.data, DATABASE);
    await rename(this.growing, place);
    try {
      await sync(this.data);
      // The marker was about the database that was here before; one that comes back costs no more than another actor.
      await markClean(this.data);
    } catch (error) {
      await rename(place, this.growing).catch(() => {
        throw unsettled(place, error as Error);
      });
      throw error;
    }
  }

  /** Leaves everything as it was. */
  async discard(): Promise<void> {
    await rm(this.growing, { recursive: true, force: true });
    if (this.made === undefined) return;
    for (let folder = this.data; folder.length >= this.made.length; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        // Somebody has put something there meanwhile.
        return;
      }
    }
  }

  /** Every folder above the data folder that has a new entry. */
  private *parentsWithNews(): Generator<string> {
    if (this.made === undefined) return;
    for (let folder = this.data; folder.length >= this.made.length; folder = dirname(folder)) yield dirname(folder);
  }
}

async function requireNothingToLose(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: unknown): string[] => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR')
      throw new FolderInUseError(`${folder} is not a folder: move the file away, or choose another`);
    throw error;
  });
  if (found.includes(DATABASE)) {
    throw new FolderInUseError(
      `${folder} has a database already: stop its node and move ${join(folder, DATABASE)} away, or choose another folder`,
    );
  }
  if (found.includes(GROWING)) throw brokenOff(folder);
  const other = found.find((name) => !HARMLESS.includes(name));
  if (other !== undefined) {
    throw new FolderInUseError(
      `${folder} has ${JSON.stringify(other)}, which is no part of a database: move it away, or choose another folder`,
    );
  }
}

function brokenOff(folder: string): FolderInUseError {
  return new FolderInUseError(
    `a snapshot is being restored into ${folder}, or that was broken off: if none is, remove ${join(folder, GROWING)}`,
  );
}

function unsettled(place: string, { message }: Error): FolderUnsettledError {
  return new FolderUnsettledError(
    `${message}; ${place} may be there all the same: check the disk, and move it away before anything starts there`,
  );
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
