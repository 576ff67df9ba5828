// Where does a reader of the change feed stand? What it has been shown, and nothing of who showed it: a cursor is good at
// every replica.

import { compareKeys } from '../clock/claims.js';
import { EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';

export interface Cursor {
  /** Of every dot that it covers the reader has been shown the key, in a state that knows the dot. */
  readonly clock: VersionVector;
  /** Of every lifetime that ended up to here, the reader has been shown that it has. */
  readonly ended: Moment;
}

/** Before `wallMs`, and of what ends at it the keys up to `key`: many lifetimes may end at once. */
export interface Moment {
  readonly wallMs: number;
  readonly key: string;
}

/**
 * Wall time moves in steps for readers: those who stand at one clock stand at one cursor then, and are served as one. What
 * ended within the step before a reader began may be shown to it without need.
 */
const STEP_MS = 10_000;

/** Before everything. What ended before anything was read is nobody's concern. */
export function firstCursor(wallMs: number): Cursor {
  return { clock: EMPTY_VECTOR, ended: stepOf(wallMs) };
}

/**
 * After everything that the view has: for who has read all of it. It is the clock alone. Contexts of keys ahead and claims
 * name dots of other keys too, which the view does not know.
 */
export function cursorAt({ clock }: CommittedView, wallMs: number): Cursor {
  return { clock, ended: stepOf(wallMs) };
}

/** The beginning of the step that this time lies in. */
export function stepOf(wallMs: number): Moment {
  return { wallMs: wallMs - (wallMs % STEP_MS), key: '' };
}

/**
 * Never ahead of the time at which a state is shown: another replica's clock may have been. What is shown as alive is then
 * shown again when its time is over.
 */
export function notAhead(moment: Moment, wallMs: number): Moment {
  return moment.wallMs > wallMs ? { wallMs, key: '' } : moment;
}

export function isAfter(left: Moment, right: Moment): boolean {
  return left.wallMs !== right.wallMs ? left.wallMs > right.wallMs : compareKeys(left.key, right.key) > 0;
}
