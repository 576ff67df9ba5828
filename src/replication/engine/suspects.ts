// What if replicas that know the same have different states of a key?
//
// Then a disk has lost a record or shows an older one, and clocks can't tell whose. The replica that noticed asks all
// others for the key. What more than half of those that know the same hold is taken for the truth. Otherwise every version
// that anybody holds is kept: a version too many is seen by the next reader, who can replace it; one too few is gone.

import type { Container, Version } from '../../clock/container.js';
import { compareDots } from '../../clock/dot.js';
import { keptAt } from '../../clock/lifetime.js';
import { EMPTY_VECTOR, equalVectors, join } from '../../clock/version-vector.js';
import type { Batch } from './messages.js';
import type { Suspicion } from './repairs.js';
import type { Effects } from './effects.js';
import { knownOf, type ReplicaState, type Stored } from './state.js';

/** More are found again in the next round of the scan. */
const SUSPECTS_MAX = 1000;

/** Under constant load replicas never know the same for long enough; the next round of the scan tries again. */
const ASKED_MAX = 20;

/** Digests differ in these keys, at equal clocks. */
export function suspect({ repairs: { damaged, suspected } }: ReplicaState, keys: readonly string[]): void {
  for (const key of keys) {
    if (suspected.size >= SUSPECTS_MAX) return;
    if (!damaged.has(key) && !suspected.has(key)) {
      suspected.set(key, { known: EMPTY_VECTOR, votes: new Map(), asked: 0 });
    }
  }
}

/** Peers are being asked for these keys once more. */
export function countAsked({ repairs: { suspected } }: ReplicaState, keys: readonly string[]): void {
  for (const key of keys) {
    const suspicion = suspected.get(key);
    if (suspicion !== undefined && ++suspicion.asked > ASKED_MAX) suspected.delete(key);
  }
}

/**
 * A peer has told what it has of keys, some of them suspected.
 * @throws what `stored` throws, before anything is changed
 */
export function takeVotes(
  state: ReplicaState,
  peer: string,
  batch: Batch,
  stored: Stored,
  wallMs: number,
  effects: Effects,
): void {
  const { suspected } = state.repairs;
  const keys = [...batch.containers.keys()].filter((key) => suspected.has(key));
  const locals = keys.map((key) => stored.container(key));
  keys.forEach((key, place) => {
    const local = locals[place]!;
    const remote = batch.containers.get(key)!;
    const suspicion = suspected.get(key)!;
    const known = join(knownOf(state, key), local.context);
    if (!equalVectors(known, join(batch.clock, remote.context))) return;
    if (!equalVectors(known, suspicion.known)) suspicion.votes.clear();
    suspicion.known = known;
    suspicion.votes.set(peer, remote.versions);
    // To the back of the queue.
    suspected.delete(key);
    if (haveAllVoted(state, suspicion)) decide(state, key, local, suspicion, wallMs, effects);
    else suspected.set(key, suspicion);
  });
}

/** One that is away does not know the same, or will be compared with when it is back. */
function haveAllVoted({ peers }: ReplicaState, { votes }: Suspicion): boolean {
  return [...peers.values()].every(({ name, isReachable }) => !isReachable || votes.has(name));
}

function decide(
  state: ReplicaState,
  key: string,
  local: Container,
  { votes }: Suspicion,
  wallMs: number,
  effects: Effects,
): void {
  // What some have dropped already, for its time is over, must not be in dispute.
  const states = [local.versions, ...votes.values()].map((versions) => keptAt(versions, wallMs));
  const versions = heldByMost(states) ?? heldByAny(states);
  // Written even if it is what the cache has: the disk has something else.
  effects.store(state, key, { versions, context: local.context }, local.versions, wallMs);
  effects.observations.push({
    kind: 'disagreement-settled',
    key,
    wasRight: nameOf(versions) === nameOf(states[0]!),
  });
}

function heldByMost(states: readonly (readonly Version[])[]): readonly Version[] | undefined {
  return states.find((state) => {
    const name = nameOf(state);
    return 2 * states.filter((other) => nameOf(other) === name).length > states.length;
  });
}

function heldByAny(states: readonly (readonly Version[])[]): readonly Version[] {
  const all = new Map(states.flat().map((version) => [`${version.actor}:${version.counter}`, version]));
  const versions = [...all.values()].sort(compareDots);
  // Of an actor's parts of a sum the later one has the earlier one in it: both would count twice, and nobody would see it.
  const isOutgrown = (version: Version, place: number): boolean =>
    version.type === 'counter' &&
    versions.some((other, after) => after > place && other.type === 'counter' && other.actor === version.actor);
  return versions.filter((version, place) => !isOutgrown(version, place));
}

function nameOf(versions: readonly Version[]): string {
  return versions.map(({ actor, counter }) => `${actor}:${counter}`).join(' ');
}
