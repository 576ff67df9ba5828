// What is there to note when containers are merged? Whether anything changed, and what time the versions tell.

import type { Container } from '../../clock/container.js';
import type { Dot } from '../../clock/dot.js';
import { isTooFarAhead, observeStamp } from '../../clock/hybrid-clock.js';
import { covers, equalVectors, type VersionVector } from '../../clock/version-vector.js';
import type { Effects } from './effects.js';
import type { ReplicaState } from './state.js';

/** Follows the stamps of versions that are new here, but not of those dated far ahead. */
export function observeStamps(
  state: ReplicaState,
  from: string,
  key: string,
  remote: Container,
  before: VersionVector,
  wallMs: number,
  effects: Effects,
): void {
  for (const version of remote.versions) {
    if (covers(before, version)) continue;
    if (isTooFarAhead(version.stamp, wallMs)) {
      effects.observations.push({ kind: 'stamp-too-far-ahead', from, key, stamp: version.stamp });
    }
    state.stamp = observeStamp(state.stamp, version.stamp, wallMs);
  }
}

/** Whether a merge brought nothing. */
export function isSame(left: Container, right: Container): boolean {
  return hasSameDots(left.versions, right.versions) && equalVectors(left.context, right.context);
}

/** Whether the same versions live: a dot names one value, so equal dots are equal versions. */
export function hasSameDots(left: readonly Dot[], right: readonly Dot[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ actor, counter }, place) => {
      const other = right[place]!;
      return actor === other.actor && counter === other.counter;
    })
  );
}
