// How far back must the log reach?
//
// To the dot that some member may still lack. An entry goes once the clocks that all members have told cover it. A member
// that stays away would hold the log for ever, so the log is bounded: beyond that the member furthest behind is held no
// longer, and takes over all keys when it comes back. What no member lacks is kept for readers of the change feed a while.

import { countBeyond, descends, join, meet, type VersionVector } from '../../clock/version-vector.js';
import { expiredOf, tickRetention } from './retention.js';
import type { Effects } from './effects.js';
import { isIntroduced, type Peer, type ReplicaState } from './state.js';

export function trim(state: ReplicaState, effects: Effects): void {
  tickRetention(state);
  // Just started: a peer that is there, and a little behind, has not had the time to say so.
  if (!isIntroduced(state)) return;
  const floor = join(state.floor, expiredOf(state, heldFrom(state)));
  const dots = countBeyond(floor, state.floor);
  if (dots === 0) return;
  state.floor = floor;
  effects.touchNode();
  effects.observations.push({ kind: 'log-trimmed', dots });
}

/** What nobody needs to be sent any more. */
function heldFrom(state: ReplicaState): VersionVector {
  const holding = [...state.peers.values()]
    .map((peer) => neededAfter(state, peer))
    // Who is below the floor already gets no entries anyway.
    .filter((clock) => descends(clock, state.floor))
    .sort((left, right) => countBeyond(state.clock, right) - countBeyond(state.clock, left));
  for (;;) {
    const stable = holding.reduce(meet, state.clock);
    if (holding.length === 0 || countBeyond(state.clock, stable) <= state.logMax) return stable;
    holding.shift();
  }
}

/**
 * The peer has, or will have, everything up to this. One who has answered nothing yet may lack anything: what it said
 * unasked may be from long before this replica started, and it would seem to be below the floor. So would one who has not
 * heard yet that there are no more dots of a dead actor.
 */
function neededAfter(state: ReplicaState, peer: Peer): VersionVector {
  if (peer.clock === undefined || !peer.hasAnswered) return state.floor;
  const sealed = new Map(Array.from(state.sealed, ([actor, { to }]) => [actor, to]));
  return join(join(peer.clock, peer.awaited), sealed);
}
