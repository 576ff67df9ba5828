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
import type { StoreChange } from './store.port.js';

/** Half as much again as LevelDB's two write buffers; its log also holds the commits that went past their ends. */
const MARKED_BYTES_MIN = 12 * 1024 * 1024;

/** The value of the oldest mark: there need not be one before it. */
const FIRST_MARK: Uint8Array = Buffer.of(1);

const NO_VALUE: Uint8Array = Buffer.alloc(0);

const BYTES_PER_STEP = 1024 * 1024;

/** Peers have what was replicated: writes may have been acknowledged that were not yet. */
const ADVICE =
  'move it away, and the replica gets everything from its peers except writes that only this disk had: ' +
  'keep the old folder, and never do this at all replicas at once';

/** Commits are missing that later ones build upon: the store can't be trusted, and its replica must not serve from it. */
export class DamagedStoreError extends Error {
  readonly code = 'STORE_DAMAGED';

  constructor(what: string) {
    super(`the database has lost commits (${what}): ${ADVICE}`);
  }
}

/** Marks the commits of one life of a database. */
export class CommitMarks {
  /** The commit at which each further megabyte began, oldest first. */
  private readonly steps: { readonly commit: number; readonly bytes: number }[] = [];
  private bytes = 0;
  private largest = 0;

  /** @param first the mark that becomes the oldest: when LevelDB opens, it writes its log into tables */
  constructor(private first: number | undefined) {}

  /** The marks that go into a commit of these changes. */
  mark(commit: number, changes: readonly StoreChange[]): StoreChange[] {
    let bytes = 0;
    for (const change of changes) bytes += change.key.length + (change.type === 'put' ? change.value.length : 0);
    this.bytes += bytes;
    this.largest = Math.max(this.largest, bytes);
    if (this.bytes - (this.steps.at(-1)?.bytes ?? 0) >= BYTES_PER_STEP) this.steps.push({ commit, bytes: this.bytes });
    const marks: StoreChange[] = [{ type: 'put', key: markKey(commit), value: NO_VALUE }];
    if (this.first !== undefined) marks.push({ type: 'put', key: markKey(this.first), value: FIRST_MARK });
    return marks;
  }

  /** The commit is on disk. Returns the mark that is the oldest by now, when those before it are to be removed. */
  committed(): number | undefined {
    const { first } = this;
    this.first = undefined;
    const kept = MARKED_BYTES_MIN + 2 * this.largest;
    while (this.steps.length > 0 && this.bytes - this.steps[0]!.bytes > kept) this.first = this.steps.shift()!.commit;
    return first;
  }
}

/**
 * A database in order has the marks of its last commits, without a hole.
 * @throws DamagedStoreError
 */
export async function checkMarks(view: CommittedView, commit: number): Promise<void> {
  let last: number | undefined;
  let isAnchored = false;
  for await (const { mark, isFirst } of view.marks()) {
    // Older ones may be left of a removal that was interrupted.
    if (isFirst || mark === 1) isAnchored = true;
    else if (isAnchored && mark !== last! + 1) throw new DamagedStoreError(`commit ${last! + 1} is missing`);
    last = mark;
  }
  if (last !== undefined && !isAnchored) throw new DamagedStoreError('the first commits are missing');
  if (last !== commit && commit > 0) throw new DamagedStoreError(`the mark of commit ${commit} is missing`);
}

/**
 * The log has the dots of each actor from the floor up to the clock, and may still have some below.
 * @returns by actor, a counter before the last of its first record
 * @throws DamagedStoreError
 */
export async function checkLog(view: CommittedView): Promise<Map<Actor, number>> {
  const unlogged = new Map<Actor, number>(view.node.floor);
  const seen = new Set<Actor>();
  const reached = new Map(view.node.floor);
  for await (const { actor, from, to } of view.log.spans()) {
    if (!seen.has(actor)) unlogged.set(actor, to - 1);
    seen.add(actor);
    const floor = counterOf(view.node.floor, actor);
    if (to <= floor) continue;
    const before = counterOf(reached, actor);
    // The floor may be in the midst of a record.
    const goesOn = from === before || (before === floor && from >= 0 && from < floor);
    if (!goesOn) throw new DamagedStoreError(`the log has ${actor}:${from + 1} but not ${actor}:${before + 1}`);
    reached.set(actor, to);
  }
  for (const [actor, counter] of view.clock) {
    if (counterOf(reached, actor) !== counter)
      throw new DamagedStoreError(`the log does not reach ${actor}:${counter}`);
  }
  return unlogged;
}
