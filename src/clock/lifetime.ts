// Does a version still live?
//
// One with a deadline is hidden from that moment on, by each replica's own wall clock, wherever a reader or a condition
// looks. It is dropped later, by each replica for itself and without a dot: the outcome is the same everywhere. Not before
// the drift that clocks may have is over, for whoever syncs with a replica that has dropped it drops it too; and later than
// that, so that who was away for a moment still meets it, and can tell that it has ended.

import type { Container, Version } from './container.js';
import { DRIFT_MAX_MS } from './hybrid-clock.js';

/** What a `Date` can hold: clients are shown one. No stamp comes near it, for it counts microseconds. */
export const DEADLINE_MS_MAX = 8.64e15;

/**
 * For so long after its deadline a version is kept, hidden. Of that, one drift is for a clock that is ahead of its author's, and
 * one for who can't tell how long it was away but by a stamp, which may be ahead. The rest is how long one may be away.
 */
export const HIDDEN_MS = 3 * DRIFT_MAX_MS;

/** What a reader may see; `versions` itself when that is all of them. */
export function liveAt(versions: readonly Version[], wallMs: number): readonly Version[] {
  return without(versions, wallMs);
}

/** What a replica keeps; `versions` itself when that is all of them. */
export function keptAt(versions: readonly Version[], wallMs: number): readonly Version[] {
  return without(versions, wallMs - HIDDEN_MS);
}

function without(versions: readonly Version[], endedMs: number): readonly Version[] {
  for (const { deadlineMs } of versions) {
    if (deadlineMs !== undefined && deadlineMs <= endedMs) return versions.filter((each) => !hasEnded(each, endedMs));
  }
  return versions;
}

function hasEnded({ deadlineMs }: Version, endedMs: number): boolean {
  return deadlineMs !== undefined && deadlineMs <= endedMs;
}

/** The container without the versions that are hidden; `container` itself when there are none. */
export function live(container: Container, wallMs: number): Container {
  return withVersions(container, liveAt(container.versions, wallMs));
}

/** The container without the versions that are dropped; `container` itself when there are none. */
export function keep(container: Container, wallMs: number): Container {
  return withVersions(container, keptAt(container.versions, wallMs));
}

function withVersions(container: Container, versions: readonly Version[]): Container {
  return versions === container.versions ? container : { versions, context: container.context };
}
