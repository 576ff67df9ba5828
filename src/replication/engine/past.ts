// What may the versions that are shown here depend on, and has not come yet?
//
// The author of a write had seen writes of other keys. A session that reads the write must be shown those too, wherever it
// goes on, so its token must cover them. A key ahead says so itself: its context has all that its sender knew. An exact
// container says of the past no more than its receiver's clock covers, so what the sender knew beyond is kept here: one
// vector for all keys, which empties itself as the clock catches up. It is more than any one key may depend on, which
// makes a session wait longer than it had to and never shows it less.
//
// What a sender showed may depend on more than the sender itself had: it tells that with every message.

import { beyond, counterOf, descends, join, type VersionVector } from '../../clock/version-vector.js';
import { rangeEnd, type Batch } from './messages.js';
import type { ReplicaState } from './state.js';

/** What is stored from now on may depend on all of this. */
export function dependOn(state: ReplicaState, past: VersionVector): void {
  const before = state.past;
  state.past = beyond(join(before, beyond(past, state.givenUp)), state.clock);
  if (descends(before, state.past)) return;
  // They were level with a replica that lacked less than this one does now, and so was it itself.
  const more = beyond(state.past, before).keys();
  for (const actor of more) for (const { levels } of [state, ...state.peers.values()]) levels.delete(actor);
}

/**
 * What the versions of a batch may depend on, apart from what they say themselves.
 * @param known the receiver's clock, with the batch's ranges
 */
export function pastOf({ clock, exact, past, ranges }: Batch, known: VersionVector): VersionVector {
  if (exact === undefined || exact.keys.size === 0) return past;
  const [range, ...others] = ranges;
  // One that comes late, to a disk that is not the one it was sent to, has more that is new here.
  const isSimple = others.length === 0 && descends(known, exact.clock);
  if (range === undefined || !isSimple) return join(past, clock);
  // New here are dots of one actor alone, and none of them depends on later ones of the same.
  const upTo = Math.min(rangeEnd(range), counterOf(clock, range.actor));
  return join(past, new Map(clock).set(range.actor, upTo));
}
