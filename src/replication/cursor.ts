// Where does a reader of the change feed stand? What it has been shown, and nothing of who showed it: a cursor is good at
// every replica.

import { EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';

export interface Cursor {
  /** Of every dot that it covers the reader has been shown the key, in a state that knows the dot. */
  readonly clock: VersionVector;
  /** Up to this wall time it has been shown which lifetimes have ended. */
  readonly expiredMs: number;
}

/**
 * Wall time moves in steps for readers: those who stand at one clock stand at one cursor then, and are served as one. What
 * ended within the step before a reader began may be shown to it without need.
 */
const STEP_MS = 10_000;

/** Before everything. What ended before anything was read is nobody's concern. */
export function firstCursor(wallMs: number): Cursor {
  return { clock: EMPTY_VECTOR, expiredMs: stepOf(wallMs) };
}

/**
 * After everything that the view has: for who has read all of it. It is the clock alone. Contexts of keys ahead and claims
 * name dots of other keys too, which the view does not know.
 */
export function cursorAt({ clock }: CommittedView, wallMs: number): Cursor {
  return { clock, expiredMs: stepOf(wallMs) };
}

/** Further on. Wall time that runs backwards, or another replica's, moves nobody back. */
export function movedOn({ expiredMs }: Cursor, clock: VersionVector, wallMs: number): Cursor {
  return { clock, expiredMs: Math.max(expiredMs, stepOf(wallMs)) };
}

function stepOf(wallMs: number): number {
  return wallMs - (wallMs % STEP_MS);
}
