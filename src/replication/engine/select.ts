// Which dots go into a batch? Whatever the sender's clock covers and the receiver's does not, actor by actor.

import type { Actor, DotSpan } from '../../clock/dot.js';
import { counterOf, type VersionVector } from '../../clock/version-vector.js';

/** The dots of `actors` that `clock` covers and `since` does not: at most `dotsMax`, none twice, each span from its start. */
export function selectSpans(
  clock: VersionVector,
  since: VersionVector,
  actors: Iterable<Actor>,
  dotsMax: number,
): readonly DotSpan[] {
  const spans: DotSpan[] = [];
  let left = dotsMax;
  for (const actor of actors) {
    const from = counterOf(since, actor);
    const to = Math.min(counterOf(clock, actor), from + left);
    if (to <= from) continue;
    spans.push({ actor, from, to });
    left -= to - from;
    if (left === 0) break;
  }
  return spans;
}
