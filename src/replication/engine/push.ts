// Who is told of a write, and when?
//
// Every reachable peer that is known to lack own dots is sent them, from its last told clock on. One push per peer is in
// flight; what is written meanwhile goes with the next one, so load makes batches large by itself.

import type { Actor } from '../../clock/dot.js';
import { counterOf, EMPTY_VECTOR, join, type VersionVector } from '../../clock/version-vector.js';
import type { ClockMessage } from './messages.js';
import type { Effects } from './effects.js';
import type { Peer, ReplicaState } from './state.js';

/** Sixteen seconds. Who has room again asks by itself. */
const REFUSED_COMPARISONS_MAX = 32;

/** What tells whether a peer lacks own dots. */
export type OwnDots = Pick<ReplicaState, 'actor' | 'clock' | 'floor'>;

export function pushTo(state: ReplicaState, peer: Peer, effects: Effects): void {
  const since = pushSince(state, peer);
  if (since === undefined || peer.pushingSince !== undefined || peer.comparisonsUntilPush > 0) return;
  peer.pushingSince = since;
  effects.sends.push({ to: peer.name, kind: 'push', actor: state.actor, since });
}

/** The clock to push from; undefined when the peer has all own dots, or can't be sent them. */
export function pushSince(state: OwnDots, peer: Readonly<Peer>): VersionVector | undefined {
  if (!peer.isReachable || peer.wordsUntilPush > 0 || peer.clock === undefined) return undefined;
  // It takes over all keys: what it lacks then, it gets then.
  if (peer.awaited.size > 0) return undefined;
  const known = counterOf(peer.clock, state.actor);
  if (known >= counterOf(state.clock, state.actor)) return undefined;
  // The log begins later: it will ask for everything.
  if (known < counterOf(state.floor, state.actor)) return undefined;
  return peer.clock;
}

/** It may go on for long, of a disk that is full, say: each time all that the peer lacks would be read and sent. */
export function pushRefused(peer: Peer): void {
  peer.comparisonsUntilPush = Math.min(2 ** peer.refusedPushes, REFUSED_COMPARISONS_MAX);
  peer.refusedPushes++;
}

/** The peer has come to know more of what this replica writes: it takes it again. */
export function takesAgain(peer: Peer): void {
  peer.refusedPushes = 0;
  peer.comparisonsUntilPush = 0;
}

/**
 * The peer told its clock, and the actor that it goes by. A word that comes late says less than one that came before it,
 * for a disk never forgets; but another actor means another disk, which may know less.
 */
export function learnClock(peer: Peer, clock: VersionVector, actor: Actor | undefined): void {
  const isOther = actor !== undefined && actor !== peer.actor;
  peer.clock = peer.clock === undefined || isOther ? clock : join(peer.clock, clock);
  peer.toldSince = isOther ? clock : join(peer.toldSince, clock);
  if (!isOther) return;
  peer.actor = actor;
  // It was another disk that was level, or full.
  peer.levels.clear();
  takesAgain(peer);
}

/** The peer says what it will know once it has taken over all keys; nothing when it does not. */
export function toldAwaited(peer: Peer, awaited: VersionVector): void {
  // Asked for all keys a moment ago, it may not have had the time to say so.
  if (awaited.size === 0 && !peer.hasToldAwaited) return;
  peer.awaited = awaited;
  peer.hasToldAwaited = awaited.size > 0;
}

/** The peer has taken a push, or refused it for a gap: its clock says from where to go on. */
export function pushAnswered(state: ReplicaState, peer: Peer, told: ClockMessage, effects: Effects): void {
  // Not since its last word: it may have told of what it took before it answers, in a message of its own.
  const isAdvanced = counterOf(told.clock, state.actor) > counterOf(peer.pushingSince ?? EMPTY_VECTOR, state.actor);
  peer.pushingSince = undefined;
  learnClock(peer, told.clock, told.actor);
  toldAwaited(peer, told.awaited);
  if (isAdvanced) takesAgain(peer);
  // Without progress the next comparison tries again: two replicas that disagree must not talk themselves to death.
  if (isAdvanced) pushTo(state, peer, effects);
}
