// Is there room left? A database on a full disk fails in the middle of a commit, and the replica must then stop. So free
// space is watched, and writes are refused while there is still some: reads and the node itself live on.

import { statfs } from 'node:fs/promises';

const LOOK_EVERY_MS = 2000;

export class DiskSpace {
  private timer: NodeJS.Timeout | undefined;
  private freeBytes = Infinity;

  constructor(
    private readonly folder: string,
    private readonly freeBytesMin: number,
  ) {}

  /** Looks now, and from now on every two seconds. */
  async watch(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Bytes free for this process as of the last look. */
  get free(): number {
    return this.freeBytes;
  }

  get isNearlyFull(): boolean {
    return this.freeBytes < this.freeBytesMin;
  }

  private async look(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(this.folder);
      this.freeBytes = bavail * bsize;
    } catch {
      // A folder that can't be looked at fails louder elsewhere: the last known figure stands.
    }
  }
}
