// What has changed since a reader looked last?
//
// The dots that the clock covers and the cursor does not: the log says which keys they wrote. Each key is shown once, in
// its state of the same view, however often it was written. That state may know more than the cursor that comes with it:
// what it knows beyond is shown again.
// A cursor moves actor by actor, as far as their logs have been read: each key of the dots it covers has been shown.

import type { Container, Version } from '../clock/container.js';
import type { Actor } from '../clock/dot.js';
import { countBeyond, counterOf, descends, join, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { isLogKey } from '../store/keyspace.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { movedOn, type Cursor } from './cursor.js';
import { invariant } from './engine/invariant.js';
import { selectSpans, type DotSpan } from './engine/select.js';
import { CursorExpiredError } from './errors.js';

/** What of the changes a reader wants, and how much at once. */
export interface ChangeFilter {
  readonly prefix: string;
  readonly keysMax: number;
  /** Of keys and values; the change that goes past it is the last. */
  readonly bytesMax: number;
  /** Log entries that are looked at, those of keys without the prefix too. */
  readonly dotsMax: number;
  readonly wallMs: number;
}

export interface Change {
  readonly key: string;
  /** None: the key was deleted. */
  readonly versions: readonly Version[];
}

export interface Changes {
  readonly changes: readonly Change[];
  readonly cursor: Cursor;
  /** Dots of the view that are left. */
  readonly pending: number;
  /** Everything that the changes shown may know. */
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
  return {
    changes: found.changes,
    cursor: movedOn(cursor, clock, filter.wallMs),
    pending: countBeyond(view.clock, clock),
    seen: found.seen,
  };
}

/** @throws CursorExpiredError when the log does not reach back to the cursor */
export function checkCursor(view: CommittedView, cursor: Cursor): void {
  if (!descends(cursor.clock, view.node.floor)) throw new CursorExpiredError();
}

/** @returns the counter up to which every key has been found */
async function readSpan(view: CommittedView, { actor, from, to }: DotSpan, found: Found): Promise<number> {
  let reached = from;
  try {
    for await (const key of view.logged(actor, from, to)) {
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
    this.bytes += key.length;
    for (const version of container.versions) this.bytes += version.value.length;
    return true;
  }

  get changes(): Change[] {
    return Array.from(this.containers, ([key, { versions }]) => ({ key, versions }));
  }

  get seen(): VersionVector {
    let seen = this.view.clock;
    for (const { context } of this.containers.values()) seen = join(seen, context);
    return seen;
  }
}
