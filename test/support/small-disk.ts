// How does a real disk get full, and get room again? A file system of its own in memory is mounted for one replica, and
// its size is changed while the replica runs. That takes the right to mount; `mount` says when it is missing.

import { execFile, execFileSync } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const TRIES_MAX = 20;

export class SmallDisk {
  private readonly onExit = (): void => {
    // At the very end nothing can be waited for: detached, it goes when the last process has let go of it. In a test `process`
    // is a copy of Jest's, which does not call this: test/support/cleanup.js.
    execFileSync('umount', ['-l', this.path], { stdio: 'ignore' });
  };

  private constructor(
    readonly path: string,
    private readonly roomyBytes: number,
  ) {
    process.once('exit', this.onExit);
  }

  /** Mounts it at a path that is made when absent; undefined when this user may not mount. */
  static async mount(path: string, roomyBytes: number): Promise<SmallDisk | undefined> {
    await mkdir(path, { recursive: true });
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${roomyBytes}`, 'quartet-small-disk', path]);
    } catch {
      return undefined;
    }
    return new SmallDisk(path, roomyBytes);
  }

  /** From now on there is room for so many more bytes, rounded up to pages. */
  async leave(freeBytes: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { blocks, bfree, bsize } = await statfs(this.path);
      try {
        return await this.resize((blocks - bfree) * bsize + freeBytes);
      } catch (error) {
        // The replica may have written meanwhile, and no size is less than what is there.
        if (tries === TRIES_MAX) throw error;
      }
    }
  }

  async makeRoom(): Promise<void> {
    await this.resize(this.roomyBytes);
  }

  async unmount(): Promise<void> {
    process.off('exit', this.onExit);
    await run('umount', ['-l', this.path]);
  }

  private async resize(bytes: number): Promise<void> {
    await run('mount', ['-o', `remount,size=${bytes}`, this.path]);
  }
}
