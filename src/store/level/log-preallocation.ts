// What does a commit wait for? For its bytes to be on disk, and when they have made the file longer, for the file system's own
// journal as well, which costs as much again. So zeros are appended to LevelDB's log before it gets there. LevelDB writes
// where it left off, not at the end, and its reader passes over zeros: the format has room for files that were preallocated.

import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The larger, the fewer commits are slowed by one; the smaller, the sooner each of those is done, and a new log has room. */
const CHUNK_BYTES = 256 * 1024;

/** What a larger commit takes is mostly for its bytes, which are written twice where there were zeros before. */
const COMMIT_BYTES_MAX = CHUNK_BYTES / 4;

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** The name of a log: its number, the newest has the largest. */
const LOG_NAME = /^(\d+)\.log$/;

export class LogPreallocation {
  /** About how many zeros LevelDB has not come to; it may have begun a new log meanwhile, which has none. */
  private room = 0;
  /** The log that zeros were appended to last. */
  private extended: string | undefined;
  private underWay: Promise<void> | undefined;

  constructor(private readonly folder: string) {}

  /** A commit that takes so many bytes goes to the log. What is missing is appended meanwhile, by a thread of Node's pool. */
  taken(bytes: number): void {
    this.room = Math.max(0, this.room - bytes);
    if (this.room > CHUNK_BYTES / 2 || bytes > COMMIT_BYTES_MAX || this.underWay !== undefined) return;
    this.underWay = this.extend().finally(() => {
      this.underWay = undefined;
    });
  }

  /** After the last commit: nothing is appended any more when this resolves. */
  async close(): Promise<void> {
    await this.underWay;
  }

  /** A log that is as long as what is in it is as good, so a failure is none: a full disk says so at a commit. */
  private async extend(): Promise<void> {
    this.room += CHUNK_BYTES;
    try {
      const name = await this.newestLog();
      if (name === undefined) return;
      if (name !== this.extended) this.room = CHUNK_BYTES;
      this.extended = name;
      // Appending is atomic: no commit is at the end of the file meanwhile. A log that has gone must not come back.
      const log = await open(join(this.folder, name), constants.O_WRONLY | constants.O_APPEND);
      await log.write(ZEROS).finally(() => log.close());
    } catch {
      // Tried again when so much has been written that there would be half of the room left.
    }
  }

  private async newestLog(): Promise<string | undefined> {
    let newest = 0;
    let name: string | undefined;
    for (const file of await readdir(this.folder)) {
      const number = Number(LOG_NAME.exec(file)?.[1] ?? 0);
      if (number > newest) [newest, name] = [number, file];
    }
    return name;
  }
}
