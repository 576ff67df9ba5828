// How far is a peer behind, in seconds? The age of the oldest state of this node's clock that the peer has not reached.

import { descends, EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';

/** Marks kept: an hour at one a second. A peer behind for longer is shown as that long behind, and more. */
const MARKS_MAX = 3600;

interface Mark {
  readonly atMs: number;
  readonly clock: VersionVector;
}

export class LagMeter {
  private readonly marks: Mark[] = [];

  /** Notes the clock as of now; call it about once a second. */
  mark(clock: VersionVector, nowMs: number): void {
    if (this.marks.at(-1)?.clock === clock) return;
    this.marks.push({ atMs: nowMs, clock });
    if (this.marks.length > MARKS_MAX) this.marks.shift();
  }

  /** Seconds for which the peer has lacked something that this node knew; 0 when it lacks nothing that is marked. */
  lagSeconds(peerClock: VersionVector | undefined, nowMs: number): number {
    // Marks only grow, so those that the peer covers come first.
    let low = 0;
    let high = this.marks.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (descends(peerClock ?? EMPTY_VECTOR, this.marks[middle]!.clock)) low = middle + 1;
      else high = middle;
    }
    const missing = this.marks[low];
    return missing === undefined ? 0 : Math.max(0, (nowMs - missing.atMs) / 1000);
  }
}
