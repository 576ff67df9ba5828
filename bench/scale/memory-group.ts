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

  /** @returns undefined where this process may not make one: it takes root, on Linux */
  static async create(): Promise<MemoryGroup | undefined> {
    for (const { root, limit } of HIERARCHIES) {
      const folder = join(root, `quartet-bench-${process.pid}`);
      try {
        await mkdir(folder);
        await access(join(folder, limit));
        return new MemoryGroup(folder, limit);
      } catch {
        await rmdir(folder).catch(() => {});
      }
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
