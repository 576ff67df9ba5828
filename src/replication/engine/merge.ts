// What is there to note when containers are merged? Whether anything changed, and what time the versions tell.

import type { Container } from '../../clock/container.js';
import { isTooFarAhead, observeStamp } from '../../clock/hybrid-clock.js';
import { covers, equalVectors, type VersionVector } from '../../clock/version-vector.js';
import type { Effects, ReplicaState } from './state.js';

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

/** Whether a merge brought nothing: a dot names one value, so equal dots are equal versions. */
export function isSame(left: Container, right: Container): boolean {
  return (
    left.versions.length === right.versions.length &&
    left.versions.every((version, place) => {
      const other = right.versions[place]!;
      return version.actor === other.actor && version.counter === other.counter;
    }) &&
    equalVectors(left.context, right.context)
  );
}
