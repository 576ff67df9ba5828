// What becomes of the dots that died with a disk?
//
// A container may know of dots that nobody has: their origin told somebody of them and lost its disk before it sent them.
// While the origin may come back, keys stay ahead. Once all members have had equal clocks and equal keys ahead for a while,
// and none of them goes by that actor any more, nobody can ever send those dots. Then the highest one that is known of is
// final: the member that has found so takes it into its clock, and its keys ahead strip. It tells the others from which dot on
// there are none, for they may not find so as long as clients write: who has all before that follows.

import { claimedByAny } from '../../clock/claims.js';
import type { Actor } from '../../clock/dot.js';
import { beyond, counterOf, EMPTY_VECTOR, equalVectors, join } from '../../clock/version-vector.js';
import { beyondDigest, claimsDigest } from './ahead.js';
import { membersDigest } from './members.js';
import type { ClockMessage, Seal } from './messages.js';
import type { Effects } from './effects.js';
import type { Peer, ReplicaState } from './state.js';

/** Ten seconds: longer than a message of a dead origin can be on its way to a living member. */
const LEVEL_COMPARISONS = 20;

/** Of each actor. Dead dots are the same for all the time that sealing takes, and what comes after is of no use. */
const NOTES_MAX = 8;

/** Counts for how long the peer has been in the very state of this replica. */
export function observeLevel(state: ReplicaState, peer: Peer, told: ClockMessage): void {
  const isLevel =
    equalVectors(state.clock, told.clock) &&
    state.aheadDigest === told.aheadDigest &&
    claimsDigest(state) === told.claimsDigest &&
    membersDigest(state) === told.membersDigest;
  peer.levelComparisons = isLevel ? peer.levelComparisons + 1 : 0;
}

/**
 * Keeps what is known of dead dots: soon it may be more, for a peer that has sealed them tells of them with whatever it sends.
 * To be called when the digest of keys ahead is as of now.
 */
export function noteDead(state: ReplicaState): void {
  if (!isAhead(state)) return;
  for (const [actor, seal] of deadSeals(state)) {
    const noted = state.deadNoted.get(actor) ?? [];
    if (noted.some((each) => isAlike(each, seal))) continue;
    state.deadNoted.set(actor, [...noted, seal].slice(-NOTES_MAX));
  }
}

/** Who has known since its start what all members knew of the actor has all of its dots that there are. */
export function followSeals(state: ReplicaState, told: ClockMessage['sealed'], effects: Effects): void {
  const living = livingActors(state);
  const isToFollow = ([actor, seal]: [Actor, Seal]): boolean =>
    !living.has(actor) &&
    counterOf(state.clock, actor) === seal.from &&
    (state.deadNoted.get(actor) ?? []).some((each) => isAlike(each, seal));
  raise(state, new Map([...told].filter(isToFollow)), effects);
}

function isAlike(left: Seal, right: Seal): boolean {
  return left.from === right.from && left.digest === right.digest;
}

export function seal(state: ReplicaState, effects: Effects): void {
  state.past = beyond(state.past, state.clock);
  if (!isAhead(state) && state.past.size === 0) return;
  // Alone, it knows nothing of who may have them: a node that was just restored from a backup, say.
  if (state.peers.size === 0) return;
  for (const peer of state.peers.values()) {
    if (!peer.isReachable || peer.levelComparisons < LEVEL_COMPARISONS) return;
  }
  raise(state, deadSeals(state), effects);
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

/** Whether anything is known beyond the clock, of keys or of ranges. */
function isAhead(state: ReplicaState): boolean {
  return state.aheadDigest !== 0 || claimsDigest(state) !== 0;
}

/** By actor that no member goes by, what containers or claims know of beyond the clock. */
function deadSeals(state: ReplicaState): ReadonlyMap<Actor, Seal> {
  let known = claimedByAny(state.claims);
  for (const context of state.ahead.values()) known = join(known, context);
  const living = livingActors(state);
  const dead = [...beyond(known, state.clock)].filter(([actor]) => !living.has(actor));
  const sealOf = ([actor, to]: [Actor, number]): [Actor, Seal] => {
    return [actor, { from: counterOf(state.clock, actor), to, digest: beyondDigest(state, actor) }];
  };
  return new Map(dead.map(sealOf));
}

function livingActors({ actor, peers }: ReplicaState): ReadonlySet<Actor | undefined> {
  return new Set([actor, ...Array.from(peers.values(), (peer) => peer.actor)]);
}

function raise(state: ReplicaState, seals: ReadonlyMap<Actor, Seal>, effects: Effects): void {
  if (seals.size === 0) return;
  const dead = new Map(Array.from(seals, ([actor, { to }]) => [actor, to]));
  state.clock = join(state.clock, dead);
  state.floor = join(state.floor, dead);
  state.sealed = new Map([...state.sealed, ...seals]);
  effects.touchNode();
  for (const [actor, counter] of dead) effects.observations.push({ kind: 'actor-sealed', actor, counter });
}
