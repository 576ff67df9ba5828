// What has changed since a reader looked last?
//
// Each key beyond its cursor is shown once, in its state of the same view, however often it was written. That state may know
// more than the cursor that comes with it: what it knows beyond is shown again.
// A cursor moves actor by actor, as far as their logs have been read: each key of the dots it covers has been shown.

import type { Container, Version } from '../clock/container.js';
import { liveAt } from '../clock/lifetime.js';
import { countBeyond, join, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { bytesOf } from './container-bytes.js';
import type { Cursor } from './cursor.js';
import { Stretches, type Stretch, type StretchLimits } from './stretches.js';

/** What of the changes a reader wants, and how much at once. */
export interface Wanted {
  readonly prefix: string;
  readonly keysMax: number;
  /** Of keys and what stands in them, parts too; the change that goes past it is the last. */
  readonly bytesMax: number;
}

export interface ChangeFilter extends Wanted, StretchLimits {}

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
  const stretches = new Stretches(view, cursor, filter);
  try {
    return await changesIn(stretches, filter);
  } finally {
    await stretches.end();
  }
}

/** @throws CursorExpiredError, CorruptRecordError */
export async function changesIn(stretches: Stretches, wanted: Wanted): Promise<Changes> {
  const { from, limits, view } = stretches;
  const found = new Found(view, wanted);
  let { clock, ended } = from;
  let isWhole = false;
  for await (const stretch of stretches) {
    const taken = found.takeAll(stretch);
    ({ clock, ended } = stretch.passed({ clock, ended }, taken));
    if (taken < stretch.keys.length) break;
    isWhole = stretch.isLast;
  }
  const pending = isWhole ? 0 : Math.max(1, countBeyond(view.clock, clock));
  return { changes: found.changes(limits.wallMs), cursor: { clock, ended }, pending, seen: view.seen(found.seen) };
}

/** The changes found so far. */
class Found {
  /** Keys of which a lifetime has ended. */
  private readonly ended = new Set<string>();
  private readonly containers = new Map<string, Container>();
  private bytes = 0;

  constructor(
    private readonly view: CommittedView,
    private readonly wanted: Wanted,
  ) {}

  /** @returns how many keys, from the first on, there was room for */
  takeAll({ keys, haveEnded }: Stretch): number {
    let taken = 0;
    for (const key of keys) {
      if (!this.take(key)) return taken;
      if (haveEnded) this.ended.add(key);
      taken++;
    }
    return taken;
  }

  changes(wallMs: number): Change[] {
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

  /** False: there is no room for another key. */
  private take(key: string): boolean {
    const { bytesMax, keysMax, prefix } = this.wanted;
    if (!key.startsWith(prefix) || this.containers.has(key)) return true;
    if (this.containers.size >= keysMax || this.bytes > bytesMax) return false;
    const container = this.view.container(key);
    this.containers.set(key, container);
    this.bytes += bytesOf(key, container);
    return true;
  }
}
