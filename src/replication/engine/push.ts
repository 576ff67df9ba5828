// Who is told of a write, and when?
//
// Every reachable peer that is known to lack own dots is sent them, from its last told clock on. One push per peer is in
// flight; what is written meanwhile goes with the next one, so load makes batches large by itself.

import { counterOf, type VersionVector } from '../../clock/version-vector.js';
import type { Effects, Peer, ReplicaState } from './state.js';

export function pushTo(state: ReplicaState, peer: Peer, effects: Effects): void {
  if (!peer.isReachable || peer.isPushing || peer.clock === undefined) return;
  // It takes over all keys: what it lacks then, it gets then.
  if (peer.awaited.size > 0) return;
  const known = counterOf(peer.clock, state.actor);
  if (known >= counterOf(state.clock, state.actor)) return;
  // The log begins later: it will ask for everything.
  if (known < counterOf(state.floor, state.actor)) return;
  peer.isPushing = true;
  effects.sends.push({ to: peer.name, kind: 'push', actor: state.actor, since: peer.clock });
}

/** The peer has taken a push, or refused it for a gap: its clock says from where to go on. */
export function pushAnswered(state: ReplicaState, peer: Peer, told: VersionVector, effects: Effects): void {
  const isAdvanced = counterOf(told, state.actor) > counterOf(peer.clock ?? new Map(), state.actor);
  peer.isPushing = false;
  peer.clock = told;
  // Without progress the next comparison tries again: two replicas that disagree must not talk themselves to death.
  if (isAdvanced) pushTo(state, peer, effects);
}
