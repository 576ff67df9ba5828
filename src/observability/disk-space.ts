// Is there room left? A database on a full disk fails in the middle of a commit, and the replica must then stop. So free
// space is watched, and nothing more is taken of clients or peers while there is still some: reads and the node itself live on.

import { statfs } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import type { Room } from '../replication/room.port.js';

const LOOK_EVERY_MS_MAX = 2000;
const LOOK_EVERY_MS_MIN = 100;

/** Faster than that, no replica fills a disk. */
const BYTES_PER_MS_MAX = 200_000;

/** A disk at its limit may be nearly full and have room in turn. */
const TELL_EVERY_MS = 60_000;

/** How long nobody can have used up so much room. */
export function msUntilLook(roomBytes: number): number {
  return Math.max(LOOK_EVERY_MS_MIN, Math.min(LOOK_EVERY_MS_MAX, roomBytes / BYTES_PER_MS_MAX));
}

export class DiskSpace implements Room {
  private readonly logger = new Logger('Disk');
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private freeBytes = Infinity;
  private wasToldFull = false;
  private toldAtMs = -Infinity;

  constructor(
    private readonly folder: string,
    readonly freeBytesMin: number,
  ) {}

  /** Looks now, and from now on every two seconds, or sooner when the room could be used up sooner. */
  async watch(): Promise<void> {
    await this.look();
    this.tell();
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.watch(), msUntilLook(this.freeBytes - this.freeBytesMin)).unref();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
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

  private tell(): void {
    const { isNearlyFull, wasToldFull } = this;
    if (isNearlyFull === wasToldFull) return;
    if (isNearlyFull && performance.now() - this.toldAtMs < TELL_EVERY_MS) return;
    this.wasToldFull = isNearlyFull;
    this.toldAtMs = performance.now();
    if (isNearlyFull) {
      this.logger.error(
        `nearly full, ${this.freeBytes} bytes are free: writes and keys of peers are refused until there is room`,
      );
    } else this.logger.log(`there is room again, ${this.freeBytes} bytes are free: writes and keys of peers are taken`);
  }
}
