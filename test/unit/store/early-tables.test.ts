// Replicas that take the same writes merge at moments that are far apart, however often they are started anew.

import { expect, it } from '@jest/globals';
import { EarlyTables, type MergePhase } from '../../../src/store/level/early-tables.js';

const BUFFER_BYTES = 100;
const TABLES_OF_A_MERGE = 4;

/** What LevelDB does with a buffer. */
class Database {
  waiting = 0;
  private buffered = 0;
  private tables!: EarlyTables;

  constructor(private readonly phase: MergePhase | undefined) {
    this.start();
  }

  start(): void {
    if (this.buffered > 0) this.addTable();
    this.tables = new EarlyTables(this.phase, this.waiting, BUFFER_BYTES, async () => this.addTable());
  }

  /** @returns whether this made it merge */
  async commit(bytes: number): Promise<boolean> {
    this.buffered += bytes;
    this.tables.committed(bytes);
    // Time for a table to be made.
    await new Promise((resolve) => process.nextTick(resolve));
    if (this.buffered >= BUFFER_BYTES) this.addTable();
    if (this.waiting < TABLES_OF_A_MERGE) return false;
    this.waiting = 0;
    return true;
  }

  private addTable(): void {
    this.buffered = 0;
    this.waiting++;
  }
}

it.each([4, 3, 2])('lets %i replicas merge apart, and after other starts too', async (replicas) => {
  const databases = Array.from({ length: replicas }, (_, place) => new Database(place / replicas));
  for (const commitsOfAStart of [1730, 40, 950, 1201, 4000]) {
    const merged: number[][] = databases.map(() => []);
    for (let commit = 0; commit < commitsOfAStart; commit++) {
      for (const [place, database] of databases.entries()) if (await database.commit(1)) merged[place]!.push(commit);
    }
    // From one merge of a replica to its next there are four buffers.
    const settled = merged.flatMap((commits) => commits.filter((commit) => commit > 1000)).sort((x, y) => x - y);
    for (let merge = 1; merge < settled.length; merge++) {
      expect(settled[merge]! - settled[merge - 1]!).toBeGreaterThan(0.5 * BUFFER_BYTES);
    }
    for (const database of databases) database.start();
  }
});

it('makes no table early when told so', () => {
  let made = 0;
  const tables = new EarlyTables('none', 0, BUFFER_BYTES, async () => void made++);
  for (let commit = 0; commit < 1000; commit++) tables.committed(1);
  expect(made).toBe(0);
});

it('makes one table at a time', async () => {
  const under: (() => void)[] = [];
  const tables = new EarlyTables(0.75, 0, BUFFER_BYTES, () => new Promise((resolve) => under.push(resolve)));
  for (let commit = 0; commit < 1000; commit++) tables.committed(1);
  expect(under).toHaveLength(1);
  for (let made = 1; made <= 5; made++) {
    under[made - 1]?.();
    await Promise.resolve();
    await Promise.resolve();
    tables.committed(BUFFER_BYTES);
  }
  expect(under).toHaveLength(4);
});

it.each([1, 6, 9])(
  'makes the last one when it is due, with commits of %i hundredths of a buffer too',
  async (bytes) => {
    let committed = 0;
    let last = 0;
    const tables = new EarlyTables(0.75, 0, BUFFER_BYTES, async () => {
      last = committed;
    });
    while (committed < 2 * BUFFER_BYTES) {
      committed += bytes;
      tables.committed(bytes);
      // Time for a table to be made.
      await new Promise((resolve) => process.nextTick(resolve));
    }
    // At 0.3 and three quarters of 0.7, by the first commit that reaches it.
    const due = 82.5;
    expect(last).toBeGreaterThan(due);
    expect(last).toBeLessThan(due + bytes);
  },
);
