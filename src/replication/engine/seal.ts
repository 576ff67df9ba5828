// What becomes of the dots that died with a disk?
//
// A container may know of dots that nobody has: their origin told somebody of them and lost its disk before it sent them.
// While the origin may come back, keys stay ahead. Once all members have had equal clocks and equal keys ahead for a while,
// and none of them goes by that actor any more, nobody can ever send those dots. Then the highest one that is known of is
// final: every member takes it into its clock, for itself and to the same end, and the keys ahead strip.

import { claimedByAny } from '../../clock/claims.js';
import type { Actor } from '../../clock/dot.js';
import { beyond, descends, EMPTY_VECTOR, equalVectors, join, type VersionVector } from '../../clock/version-vector.js';
import { claimsDigest } from './ahead.js';
import { membersDigest } from './members.js';
import type { ClockMessage } from './messages.js';
import type { Effects } from './effects.js';
import type { Peer, ReplicaState } from './state.js';

/** Ten seconds: longer than a message of a dead origin can be on its way to a living member. */
const LEVEL_COMPARISONS = 20;

/** Counts for how long the peer has been in the very state of this replica. */
export function observeLevel(state: ReplicaState, peer: Peer, told: ClockMessage, effects: Effects): void {
  const isLevel =
    equalVectors(state.clock, told.clock) &&
    state.aheadDigest === told.aheadDigest &&
    claimsDigest(state) === told.claimsDigest &&
    membersDigest(state) === told.membersDigest;
  // It says that it was level with everybody for long enough, a moment before this replica has found so.
  if (!isLevel && peer.levelComparisons > LEVEL_COMPARISONS / 2) {
    const dead = deadDots(state);
    const hasSealed = dead.size > 0 && descends(told.sealed, dead);
    if (hasSealed && equalVectors(join(state.clock, dead), told.clock)) raise(state, dead, effects);
  }
  peer.levelComparisons = isLevel ? peer.levelComparisons + 1 : 0;
}

export function seal(state: ReplicaState, effects: Effects): void {
  state.past = beyond(state.past, state.clock);
  if (state.aheadDigest === 0 && claimsDigest(state) === 0 && state.past.size === 0) return;
  // Alone, it knows nothing of who may have them: a node that was just restored from a backup, say.
  if (state.peers.size === 0) return;
  for (const peer of state.peers.values()) {
    if (!peer.isReachable || peer.levelComparisons < LEVEL_COMPARISONS) return;
  }
  raise(state, deadDots(state), effects);
  giveUpPast(state, effects);
}

/**
 * All members have been equal for long: nobody has what was to come, so nothing that is shown can depend on it. It is a bound
 * that each has for itself, and need not be given up by all at once.
 */
function giveUpPast(state: ReplicaState, effects: Effects): void {
  if (state.past.size === 0) return;
  state.past = EMPTY_VECTOR;
  effects.touchNode();
}

/** By actor that no member goes by, the highest counter that containers or claims know of beyond the clock. */
function deadDots(state: ReplicaState): VersionVector {
  let known = claimedByAny(state.claims);
  for (const context of state.ahead.values()) known = join(known, context);
  const living = new Set<Actor | undefined>([state.actor]);
  for (const peer of state.peers.values()) living.add(peer.actor);
  return new Map([...beyond(known, state.clock)].filter(([actor]) => !living.has(actor)));
}

function raise(state: ReplicaState, dead: VersionVector, effects: Effects): void {
  if (dead.size === 0) return;
  state.clock = join(state.clock, dead);
  state.floor = join(state.floor, dead);
  state.sealed = join(state.sealed, dead);
  effects.touchNode();
  for (const [actor, counter] of dead) effects.observations.push({ kind: 'actor-sealed', actor, counter });
}
