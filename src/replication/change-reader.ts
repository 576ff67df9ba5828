// What has changed since a reader looked last?
//
// The dots that the clock covers and the cursor does not: the log says which keys they wrote. Each key is shown once, in
// its state of the same view, however often it was written. That state may know more than the cursor that comes with it:
// what it knows beyond is shown again.
// A cursor moves actor by actor, as far as their logs have been read: each key of the dots it covers has been shown.
// A lifetime ends without a dot. When all dots have been read, the index of deadlines says which have ended since.

import type { Container, Version } from '../clock/container.js';
import type { Actor, DotSpan } from '../clock/dot.js';
import { liveAt } from '../clock/lifetime.js';
import { countBeyond, counterOf, descends, join, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { isLogKey } from '../store/keyspace.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { bytesOf } from './container-bytes.js';
import { isAfter, notAhead, stepOf, type Cursor, type Moment } from './cursor.js';
import { invariant } from './engine/invariant.js';
import { selectSpans } from './engine/select.js';
import { CursorExpiredError } from './errors.js';

/** What of the changes a reader wants, and how much at once. */
export interface ChangeFilter {
  readonly prefix: string;
  readonly keysMax: number;
  /** Of keys and what stands in them, parts too; the change that goes past it is the last. */
  readonly bytesMax: number;
  /** Log entries that are looked at, those of keys without the prefix too. */
  readonly dotsMax: number;
  readonly wallMs: number;
}

export interface Change {
  readonly key: string;
  /** What lives. None: the key was deleted, or its time is over. */
  readonly versions: readonly Version[];
  readonly hasEnded: boolean;
}

export interface Changes {
  readonly changes: readonly Change[];
  readonly cursor: Cursor;
  /** Dots of the view that are left, and one when lifetimes are: 0, and nothing is. */
  readonly pending: number;
  /** Everything that the changes shown may know or depend on. */
  readonly seen: VersionVector;
}

/**
 * The view is retained by the caller, and covers the cursor.
 * @throws CursorExpiredError when the log does not reach back to the cursor
 * @throws CorruptRecordError when a key can't be read
 */
export async function readChanges(view: CommittedView, cursor: Cursor, filter: ChangeFilter): Promise<Changes> {
  checkCursor(view, cursor);
  const found = new Found(view, filter);
  const clock = new Map(cursor.clock);
  for (const span of selectSpans(view.clock, cursor.clock, leastFirst(view.clock, cursor.clock), filter.dotsMax)) {
    const reached = await readSpan(view, span, found);
    if (reached > span.from) clock.set(span.actor, reached);
    if (reached < span.to) break;
  }
  const dots = countBeyond(view.clock, clock);
  const since = notAhead(cursor.ended, filter.wallMs);
  const { ended, isWhole } = dots > 0 ? { ended: since, isWhole: true } : await readEnded(view, since, filter, found);
  const pending = dots + (isWhole ? 0 : 1);
  return { changes: found.changes, cursor: { clock, ended }, pending, seen: view.seen(found.seen) };
}

/** Keys of which a lifetime has ended since; those that were replaced in time are no longer in the index. */
async function readEnded(
  view: CommittedView,
  since: Moment,
  { dotsMax, wallMs }: ChangeFilter,
  found: Found,
): Promise<{ ended: Moment; isWhole: boolean }> {
  let ended = since;
  let left = dotsMax;
  for await (const { deadlineMs, key } of view.deadlines(since.wallMs - 1, wallMs)) {
    const moment = { wallMs: deadlineMs, key };
    if (!isAfter(moment, since)) continue;
    if (left-- === 0 || !found.take(key)) return { ended, isWhole: false };
    found.ended.add(key);
    ended = moment;
  }
  const step = stepOf(wallMs);
  return { ended: isAfter(step, ended) ? step : ended, isWhole: true };
}

/** @throws CursorExpiredError when the log does not reach back to the cursor */
export function checkCursor(view: CommittedView, cursor: Cursor): void {
  if (!descends(cursor.clock, view.node.floor)) throw new CursorExpiredError();
}

/** @returns the counter up to which every key has been found */
async function readSpan(view: CommittedView, span: DotSpan, found: Found): Promise<number> {
  const { actor, from, to } = span;
  let reached = from;
  try {
    for await (const key of view.log.keys(span)) {
      if (!found.take(key)) return reached;
      reached++;
    }
  } catch (error) {
    // Which key the dot wrote nobody can say: it is as good as an entry that is no longer there.
    if (error instanceof CorruptRecordError && isLogKey(error.recordKey)) throw new CursorExpiredError();
    throw error;
  }
  invariant(reached === to, `the log of ${actor} has a hole after ${from}`);
  return reached;
}

/** Who writes much does not keep the changes of others from a reader that is slow. */
function leastFirst(clock: VersionVector, since: VersionVector): Actor[] {
  const missing = (actor: Actor): number => counterOf(clock, actor) - counterOf(since, actor);
  return [...clock.keys()].filter((actor) => missing(actor) > 0).sort((left, right) => missing(left) - missing(right));
}

/** The changes found so far. */
class Found {
  /** Keys of which a lifetime has ended. */
  readonly ended = new Set<string>();
  private readonly containers = new Map<string, Container>();
  private bytes = 0;

  constructor(
    private readonly view: CommittedView,
    private readonly filter: ChangeFilter,
  ) {}

  /** False: there is no room for another key. */
  take(key: string): boolean {
    const { bytesMax, keysMax, prefix } = this.filter;
    if (!key.startsWith(prefix) || this.containers.has(key)) return true;
    if (this.containers.size >= keysMax || this.bytes > bytesMax) return false;
    const container = this.view.container(key);
    this.containers.set(key, container);
    this.bytes += bytesOf(key, container);
    return true;
  }

  get changes(): Change[] {
    const { wallMs } = this.filter;
    return Array.from(this.containers, ([key, { versions }]) => {
      const live = liveAt(versions, wallMs);
      return { key, versions: live, hasEnded: live.length === 0 && (versions.length > 0 || this.ended.has(key)) };
    });
  }

  get seen(): VersionVector {
    let seen = this.view.clock;
    for (const { context } of this.containers.values()) seen = join(seen, context);
    return seen;
  }
}
