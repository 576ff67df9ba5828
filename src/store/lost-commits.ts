// Has the database lost commits that later ones build upon?
//
// When LevelDB recovers, it passes over a damaged stretch of its own log and keeps what stands behind it. The clock would
// then claim writes that are gone. So every commit leaves a mark, a record with its number: a lost commit leaves a hole in
// the numbers. LevelDB's log holds the newest commits only, so old marks are removed. Entries of the replica's own log,
// which is kept in table files too, must not have holes either.

import type { Actor } from '../clock/dot.js';
import { counterOf } from '../clock/version-vector.js';
import type { CommittedView } from './committed-view.js';
import { markKey } from './keyspace.js';
import type { Store, StoreChange } from './store.port.js';

/** Half as much again as LevelDB's two write buffers, which bound its log. */
const MARKED_BYTES_MIN = 48 * 1024 * 1024;

const BYTES_PER_STEP = 1024 * 1024;

/** Commits are missing that later ones build upon: the store can't be trusted, and its replica must not serve from it. */
export class DamagedStoreError extends Error {
  readonly code = 'STORE_DAMAGED';

  constructor(what: string) {
    super(`the database has lost commits (${what}): move it away, and the replica gets everything from its peers`);
  }
}

/** Marks the commits of one life of a database. */
export class CommitMarks {
  /** The commit at which each further megabyte began, oldest first. */
  private readonly steps: { readonly commit: number; readonly bytes: number }[] = [];
  private bytes = 0;
  private removedBelow = 0;

  constructor(private readonly store: Store) {}

  /** The mark that goes into this commit. */
  mark(commit: number, changes: readonly StoreChange[]): StoreChange {
    for (const change of changes) this.bytes += change.key.length + (change.type === 'put' ? change.value.length : 0);
    if (this.bytes - (this.steps.at(-1)?.bytes ?? 0) >= BYTES_PER_STEP) this.steps.push({ commit, bytes: this.bytes });
    return { type: 'put', key: markKey(commit), value: Buffer.alloc(0) };
  }

  /** The commit below which nothing in LevelDB's log stands any more; undefined when it is the same as before. */
  outdated(): number | undefined {
    let oldest: number | undefined;
    while (this.steps.length > 0 && this.bytes - this.steps[0]!.bytes > MARKED_BYTES_MIN) {
      oldest = this.steps.shift()!.commit;
    }
    return oldest;
  }

  async removeBelow(commit: number): Promise<void> {
    if (commit <= this.removedBelow) return;
    const range = { gte: markKey(this.removedBelow), lt: markKey(commit) };
    this.removedBelow = commit;
    await this.store.clear(range);
  }
}

/**
 * A database in order has the marks of its last commits, without a hole.
 * @throws DamagedStoreError
 */
export async function checkMarks(view: CommittedView, commit: number): Promise<void> {
  let last: number | undefined;
  for await (const mark of view.marks()) {
    if (last !== undefined && mark !== last + 1) throw new DamagedStoreError(`commit ${last + 1} is missing`);
    last = mark;
  }
  if (last !== commit && commit > 0) throw new DamagedStoreError(`the mark of commit ${commit} is missing`);
}

/**
 * The log has the dots of each actor from the floor up to the clock, and may still have some below.
 * @returns by actor, the counter before that of its first entry
 * @throws DamagedStoreError
 */
export async function checkLog(view: CommittedView): Promise<Map<Actor, number>> {
  const unlogged = new Map<Actor, number>(view.node.floor);
  const seen = new Set<Actor>();
  const reached = new Map(view.node.floor);
  for await (const { actor, counter } of view.loggedDots()) {
    if (!seen.has(actor)) unlogged.set(actor, counter - 1);
    seen.add(actor);
    if (counter <= counterOf(view.node.floor, actor)) continue;
    const expected = counterOf(reached, actor) + 1;
    if (counter !== expected) {
      throw new DamagedStoreError(`the log has ${actor}:${counter} but not ${actor}:${expected}`);
    }
    reached.set(actor, counter);
  }
  for (const [actor, counter] of view.clock) {
    if (counterOf(reached, actor) !== counter)
      throw new DamagedStoreError(`the log does not reach ${actor}:${counter}`);
  }
  return unlogged;
}
