// What becomes of the dots that died with a disk?
//
// A container may know of dots that nobody has: their origin told somebody of them and lost its disk before it sent them.
// While the origin may come back, keys stay ahead. Once all members have had the same of its dots for a while, and know the
// same beyond, and none of them goes by that actor any more, nobody can ever send those dots. Then the highest one that is
// known of is final: the member that has found so takes it into its clock, and its keys ahead strip. It tells the others from
// which dot on there are none: who has all before that follows. What living actors write meanwhile makes no difference.

import { claimedByAny } from '../../clock/claims.js';
import type { Actor } from '../../clock/dot.js';
import { isForgotten } from '../../clock/membership.js';
import { beyond, counterOf, join } from '../../clock/version-vector.js';
import { beyondDigest, claimsDigest } from './ahead.js';
import { membersDigest } from './members.js';
import type { ClockMessage, Seal } from './messages.js';
import type { Effects } from './effects.js';
import type { Level, Peer, ReplicaState } from './state.js';

/** Ten seconds: longer than a message of a dead origin can be on its way to a living member. */
const LEVEL_COMPARISONS = 20;

/** Of each actor. Dead dots are the same for all the time that sealing takes, and what comes after is of no use. */
const NOTES_MAX = 8;

type Known = Pick<Seal, 'from' | 'digest'>;

/** Counts for how long the peer has had, and known of, just the dots of each dead actor that this replica has and knows of. */
export function observeLevel(state: ReplicaState, peer: Peer, told: ClockMessage): void {
  for (const actor of state.givenUp.keys()) {
    if (counterOf(told.clock, actor) > counterOf(state.clock, actor)) state.givenUp.delete(actor);
  }
  const hasSameMembers = membersDigest(state) === told.membersDigest;
  const hasSameClaims = claimsDigest(state) === told.claimsDigest;
  const isSame = ([actor, known]: [Actor, Known]): boolean => {
    if (counterOf(told.clock, actor) !== known.from || (told.dead.get(actor) ?? 0) !== known.digest) return false;
    // It says nothing of an actor that it takes for living, whatever it knows of ranges.
    return known.digest !== 0 || hasSameClaims;
  };
  peer.levels = counted(peer.levels, hasSameMembers ? [...knownOfDead(state)].filter(isSame) : []);
}

/** Counts what is known now, once more where it is what was known before. */
function counted(before: ReadonlyMap<Actor, Level>, now: Iterable<[Actor, Known]>): Map<Actor, Level> {
  const levels = new Map<Actor, Level>();
  for (const [actor, known] of now) {
    const level = before.get(actor);
    const comparisons = level !== undefined && isAlike(level, known) ? level.comparisons + 1 : 1;
    levels.set(actor, { ...known, comparisons });
  }
  return levels;
}

/** By actor that no member goes by, of which more is known than the clock has: in keys, in ranges, or as what those depend on. */
function knownOfDead(state: ReplicaState): ReadonlyMap<Actor, Known> {
  const known = new Map<Actor, Known>();
  const living = livingActors(state);
  for (const actor of state.past.keys()) {
    if (!living.has(actor)) known.set(actor, { from: counterOf(state.clock, actor), digest: 0 });
  }
  for (const [actor, { to, digest }] of state.dead) {
    const from = counterOf(state.clock, actor);
    if (from < to) known.set(actor, { from, digest });
  }
  return known;
}

/**
 * Keeps what is known of dead dots: soon it may be more, for a peer that has sealed them tells of them with whatever it sends.
 * To be called when the digest of keys ahead is as of now, and at each tick once there are such dots: what peers are told of
 * them must not be older than the ten seconds are exact.
 */
export function noteDead(state: ReplicaState): void {
  state.dead = isAhead(state) ? deadSeals(state) : new Map();
  for (const [actor, seal] of state.dead) {
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

function isAlike(left: Known, right: Known): boolean {
  return left.from === right.from && left.digest === right.digest;
}

export function seal(state: ReplicaState, effects: Effects): void {
  state.past = beyond(state.past, state.clock);
  state.levels = levelsAlone(state);
  const [first = state] = state.peers.values();
  if (![...first.levels.values()].some(({ comparisons }) => hasLasted(comparisons))) return;
  const seals = deadSeals(state);
  giveUpPast(state, seals, effects);
  raise(state, new Map([...seals].filter(([actor, known]) => isWithNobody(state, actor, known))), effects);
}

/**
 * For how many ticks a replica that all others were removed from has known just the same: a node that it does not list yet may be
 * sending some of it. Who never had others can't tell who may have those dots: it may have been restored from a backup.
 */
function levelsAlone(state: ReplicaState): Map<Actor, Level> {
  const { members, peers } = state;
  if (peers.size > 0 || ![...members.values()].some(isForgotten)) return new Map();
  // Who was removed a moment ago is dead now. Had some a tick less than others, these would be given up first, and what is known
  // of the rest would not be the same.
  noteDead(state);
  return counted(state.levels, knownOfDead(state));
}

function hasLasted(comparisons: number): boolean {
  return comparisons >= LEVEL_COMPARISONS;
}

/** Whether no member has more of the actor's dots, or can still be sent any. */
function isWithNobody(state: ReplicaState, actor: Actor, known: Known): boolean {
  const isLevel = ({ levels }: Pick<ReplicaState, 'levels'>): boolean => {
    const level = levels.get(actor);
    return level !== undefined && isAlike(level, known) && hasLasted(level.comparisons);
  };
  if (state.peers.size === 0) return isLevel(state);
  return [...state.peers.values()].every((peer) => {
    const hasMore = peer.clock !== undefined && counterOf(peer.clock, actor) > known.from;
    return peer.isReachable && !hasMore && isLevel(peer);
  });
}

/**
 * Nothing that is shown can depend on what nobody has. It is a bound that each has for itself, and need not be given up by all
 * at once; but those who have not yet must not bring it back.
 */
function giveUpPast(state: ReplicaState, seals: ReadonlyMap<Actor, Seal>, effects: Effects): void {
  const given = [...knownOfDead(state).keys()].filter((actor) => {
    const known = seals.get(actor) ?? { from: counterOf(state.clock, actor), digest: 0 };
    return state.past.has(actor) && isWithNobody(state, actor, known);
  });
  if (given.length === 0) return;
  for (const actor of given) state.givenUp.set(actor, counterOf(state.past, actor));
  state.past = beyond(state.past, state.givenUp);
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
