// How is a process kept to less memory than the machine has, its pages of files included? By a control group, as containers are.

import { access, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where Linux shows groups, and the file with a group's limit: both versions of them, the newer one first. */
const HIERARCHIES = [
  { root: '/sys/fs/cgroup', limit: 'memory.max' },
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
] as const;

export class MemoryGroup {
  private constructor(
    private readonly folder: string,
    private readonly limit: string,
  ) {}

  /** @returns undefined where this process may not make one, or memory is not handed down to groups that it makes */
  static async create(): Promise<MemoryGroup | undefined> {
    for (const { root, limit } of HIERARCHIES) {
      const folder = join(root, `quartet-bench-${process.pid}`);
      if (!(await isDone(mkdir(folder)))) continue;
      if (await isDone(access(join(folder, limit)))) return new MemoryGroup(folder, limit);
      await rmdir(folder);
    }
    return undefined;
  }

  /** Before a command: it runs in this group. */
  get launcher(): readonly string[] {
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.folder, 'cgroup.procs')];
  }

  /** The system takes away pages of files until what is there fits. */
  async limitTo(bytes: number): Promise<void> {
    await writeFile(join(this.folder, this.limit), String(bytes));
  }

  /** Once no process is in it. */
  async remove(): Promise<void> {
    await rmdir(this.folder);
  }
}

function isDone(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}
