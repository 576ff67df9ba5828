// What if the record of a key is damaged?
//
// Its checksum tells, and the key is neither served nor taken for absent until it is whole again. All peers are asked for
// it, and their answers merged. While the record can't be read no write of the key can be taken and no batch that has it
// applied, so what this replica knew of the key when the damage was found is all that it knows of it: once the answers
// cover that, they are what the record was, or newer.
//
// Writes that no other replica has are lost with the record. That is said only when every member has answered again and
// again without more coming: a member that is away may be the one that has them. What the others have is then written
// anew, under dots of this replica: stored under its old dots it would be in dispute with a lost write that turns up
// after all, each of the two replaced by what the other side has seen, and both would go.

import { EMPTY_CONTAINER, fill, strip, sync, update, type Version } from '../../clock/container.js';
import type { Actor, Dot } from '../../clock/dot.js';
import { nextStamp } from '../../clock/hybrid-clock.js';
import { keep } from '../../clock/lifetime.js';
import { advance, countBeyond, counterOf, EMPTY_VECTOR, join, type VersionVector } from '../../clock/version-vector.js';
import type { Input } from './input.js';
import { observeStamps } from './merge.js';
import type { PeerAnswer } from './messages.js';
import { pushTo } from './push.js';
import type { Damage, Repairs } from './repairs.js';
import type { Effects } from './effects.js';
import { knownOf, type Peer, type ReplicaState, type Stored } from './state.js';
import { countAsked, takeVotes } from './suspects.js';

/** Keys that one request asks for: with values of usual size an answer has room for all of them. */
const FETCH_KEYS_MAX = 100;

/** Of these, keys that differ between replicas. */
const SUSPECTS_MAX = 25;

/** The transport may take much longer to give up a connection that died without a word. */
const FETCH_TICKS_MAX = 10;

/**
 * How often every member must have answered, half a second apart, without more coming, before anything counts as lost.
 * A push that was on its way when the damage was found has arrived by then.
 */
const FRUITLESS_ANSWERS_MIN = 10;

/** A record of the key can't be read. */
export function noticeDamage(
  state: ReplicaState,
  { key, versions, isContextKnown }: Extract<Input, { kind: 'damaged' }>,
  effects: Effects,
): void {
  const { damaged } = state.repairs;
  if (damaged.has(key)) return;
  effects.observations.push({ kind: 'damaged', key });
  const known = knownOf(state, key);
  const ahead = join(known, state.ahead.get(key) ?? EMPTY_VECTOR);
  if (versions !== undefined && (isContextKnown || state.ahead.has(key))) {
    const context = versions.reduce<VersionVector>(advance, ahead);
    // The versions are what they were: no deadline comes or goes.
    effects.store(state, key, strip({ versions, context }, known), versions, 0);
    effects.observations.push({ kind: 'repaired', key, isWhole: true });
    return;
  }
  state.repairs.suspected.delete(key);
  // The context that a version came with covered its dot: to claim that much of it is no more than the truth.
  const found = versions && { versions, context: versions.reduce<VersionVector>(advance, EMPTY_VECTOR) };
  const missing = countBeyond(ahead, found?.context ?? EMPTY_VECTOR);
  // Peers are asked at the next tick: a burst of damaged records must not make their answers count in no time.
  damaged.set(key, { known: ahead, found: found ?? EMPTY_CONTAINER, missing, fruitless: new Map() });
}

/** Asks for what is damaged still. A request that has gone without an answer for long is lost. */
export function tickRepairs(state: ReplicaState, effects: Effects): void {
  const { asked } = state.repairs;
  for (const [peer, request] of asked) if (++request.ticks > FETCH_TICKS_MAX) asked.delete(peer);
  askForRepairs(state, effects);
  countAsked(state, keysToAsk(state.repairs));
}

/** Asks every peer that is there and not being asked already. */
function askForRepairs({ peers, repairs }: ReplicaState, effects: Effects): void {
  const { asked } = repairs;
  const keys = keysToAsk(repairs);
  if (keys.length === 0) return;
  for (const { name, isReachable } of peers.values()) {
    if (!isReachable || asked.has(name)) continue;
    asked.set(name, { keys, ticks: 0 });
    effects.sends.push({ to: name, kind: 'fetch', keys });
  }
}

function keysToAsk({ damaged, suspected }: Repairs): readonly string[] {
  if (damaged.size + suspected.size === 0) return [];
  // Damage that only a member who is away can mend must not keep the others waiting.
  const suspects = [...suspected.keys()].slice(0, SUSPECTS_MAX);
  return [...[...damaged.keys()].slice(0, FETCH_KEYS_MAX - suspects.length), ...suspects];
}

export function fetchFailed({ repairs }: ReplicaState, peer: string): void {
  repairs.asked.delete(peer);
}

/** What a peer has of the keys that it was asked for; a key that its answer leaves out is damaged there too. */
export function fetched(
  state: ReplicaState,
  peer: Peer,
  { batch, next }: Extract<PeerAnswer, { kind: 'batch' }>,
  stored: Stored,
  wallMs: number,
  effects: Effects,
): void {
  const { damaged, asked } = state.repairs;
  takeVotes(state, peer.name, batch, stored, wallMs, effects);
  for (const [key, container] of batch.containers) {
    const damage = damaged.get(key);
    if (damage === undefined) continue;
    const remote = fill(container, batch.clock);
    damage.found = sync(damage.found, remote);
    observeStamps(state, peer.name, key, remote, damage.known, wallMs, effects);
  }
  const keys = asked.get(peer.name)?.keys ?? [];
  asked.delete(peer.name);
  for (const key of keys) {
    // The answer was full: it says nothing of this key and those after it.
    if (key === next) break;
    const damage = damaged.get(key);
    if (damage === undefined) continue;
    count(damage, diskOf(peer));
    // To the back of the queue.
    damaged.delete(key);
    if (damage.missing === 0) store(state, key, damage, wallMs, effects);
    else if (isGivenUp(state, damage)) writeAnew(state, key, damage, wallMs, effects);
    else damaged.set(key, damage);
  }
}

/** Answers of a disk that was lost say nothing of what its peer has now. */
function diskOf({ actor, name }: Peer): Actor {
  return actor ?? name;
}

/** While the peer is away, it may get what is missing. */
export function forgetAnswers({ repairs }: ReplicaState, peer: Peer): void {
  for (const { fruitless } of repairs.damaged.values()) fruitless.delete(diskOf(peer));
}

function count(damage: Damage, disk: Actor): void {
  const missing = countBeyond(damage.known, damage.found.context);
  if (missing < damage.missing) damage.fruitless.clear();
  damage.missing = missing;
  damage.fruitless.set(disk, (damage.fruitless.get(disk) ?? 0) + 1);
}

/** Whether no member has what is missing: all are there, and have said so often enough. */
function isGivenUp({ peers }: ReplicaState, { fruitless }: Damage): boolean {
  return [...peers.values()].every(
    (peer) => peer.isReachable && (fruitless.get(diskOf(peer)) ?? 0) >= FRUITLESS_ANSWERS_MIN,
  );
}

function store(state: ReplicaState, key: string, { found }: Damage, wallMs: number, effects: Effects): void {
  effects.store(state, key, strip(keep(found, wallMs), knownOf(state, key)), [], wallMs);
  effects.observations.push({ kind: 'repaired', key, isWhole: true });
}

function writeAnew(state: ReplicaState, key: string, damage: Damage, wallMs: number, effects: Effects): void {
  const found = keep(fill(damage.found, join(damage.known, knownOf(state, key))), wallMs);
  // Another actor's part of a sum stays its own: only that actor replaces it, and beside what it has become by then, a copy
  // under a dot of this replica would count once more.
  const isRenewed = ({ type, actor }: Version): boolean => type !== 'counter' || actor === state.actor;
  const oldestFirst = found.versions.filter(isRenewed).sort((left, right) => left.stamp - right.stamp);
  let container = found;
  // A dot without a version, as of a delete, makes an empty state travel too.
  for (const version of oldestFirst.length > 0 ? oldestFirst : [undefined]) {
    const dot: Dot = { actor: state.actor, counter: counterOf(state.clock, state.actor) + 1 };
    state.clock = advance(state.clock, dot);
    state.stamp = nextStamp(state.stamp, wallMs);
    const renewed: Version | undefined = version && { ...version, ...dot, stamp: state.stamp };
    container = update(container, dot, found.context, renewed, isRenewed);
    effects.logDot(dot.actor, dot.counter, key);
  }
  effects.store(state, key, strip(container, knownOf(state, key)), [], wallMs);
  effects.observations.push({ kind: 'repaired', key, isWhole: false });
  for (const peer of state.peers.values()) pushTo(state, peer, effects);
}
