// What does a reader get who asks several replicas? What all of them know of the key, merged.
//
// Each peer is asked for the key and answers with its container and its clock, as of after the question: an answer to an
// earlier read may be older than a write that has completed since. When as many replicas as the reader wants have told
// what they have, this one included, their filled containers are merged. What this replica lacked of it is stored, and what
// those that answered lacked is sent to them: states that are there already, so no repair has a dot.
//
// The answer's context is that of the merge. It covers every write that any of the answers knew, so a session that goes on
// with it is never shown less, wherever it reads next.

import { EMPTY_CONTAINER, fill, strip, sync, type Container } from '../../clock/container.js';
import { keep, keptAt } from '../../clock/lifetime.js';
import { EMPTY_VECTOR, join } from '../../clock/version-vector.js';
import type { ReadInput, RequestId } from './input.js';
import { hasSameDots, observeStamps } from './merge.js';
import type { Batch } from './messages.js';
import { dependOn } from './past.js';
import type { QuorumRead } from './waiting-reads.js';
import type { Effects } from './effects.js';
import { knownOf, type Peer, type ReplicaState, type Stored } from './state.js';

/** A client reads a key. @throws what `stored` throws, before anything is changed */
export function read(
  state: ReplicaState,
  { id, key, answersNeeded, timeoutMs }: ReadInput,
  stored: Stored,
  effects: Effects,
): void {
  const local = stored.container(key);
  if (answersNeeded <= 1) {
    const container = fill(local, knownOf(state, key));
    effects.replies.push({ id, kind: 'read', result: { kind: 'read', container, past: state.past, answers: 1 } });
    return;
  }
  const waiting = {
    id,
    key,
    answersNeeded,
    timeoutMs,
    found: EMPTY_CONTAINER,
    past: EMPTY_VECTOR,
    answers: new Map(),
    asked: new Set<string>(),
  };
  state.quorumReads.set(id, waiting);
  ask(state, waiting, effects);
}

/** Asks again whoever has failed, or was not there. */
export function tickQuorumReads(state: ReplicaState, effects: Effects): void {
  for (const waiting of state.quorumReads.values()) ask(state, waiting, effects);
}

/** All that are there: the first to answer count. Those that seem not to be are asked when the others are too few. */
function ask({ peers }: ReplicaState, waiting: QuorumRead, effects: Effects): void {
  const { id, key, answersNeeded, timeoutMs, answers, asked } = waiting;
  const all = [...peers.values()];
  const there = all.filter(({ isReachable, name }) => isReachable || answers.has(name));
  for (const { name } of 1 + there.length >= answersNeeded ? there : all) {
    if (asked.has(name) || answers.has(name)) continue;
    asked.add(name);
    effects.sends.push({ to: name, kind: 'read', id, key, timeoutMs });
  }
}

/**
 * A peer has told what it has of the key; nothing, when its record is damaged.
 * @throws what `stored` throws, before anything is changed
 */
export function readAnswered(
  state: ReplicaState,
  peer: Peer,
  id: RequestId,
  batch: Batch,
  stored: Stored,
  wallMs: number,
  effects: Effects,
): void {
  const waiting = state.quorumReads.get(id);
  if (waiting === undefined) return;
  const { key, answers, asked, answersNeeded } = waiting;
  const local = stored.container(key);
  const remote = batch.containers.get(key);
  asked.delete(peer.name);
  if (remote === undefined) return;
  waiting.found = sync(waiting.found, fill(remote, batch.clock));
  waiting.past = join(waiting.past, batch.past);
  observeStamps(state, peer.name, key, remote, state.clock, wallMs, effects);
  answers.set(peer.name, remote.versions);
  if (1 + answers.size < answersNeeded) return;
  state.quorumReads.delete(id);
  const container = keep(sync(fill(local, knownOf(state, key)), waiting.found), wallMs);
  const past = join(state.past, waiting.past);
  repair(state, waiting, local, container, wallMs, effects);
  effects.replies.push({ id, kind: 'read', result: { kind: 'read', container, past, answers: 1 + answers.size } });
}

/**
 * Whoever shows other versions gets the merge. One that shows the same and only knows less of the past is left as it is: it
 * learns that by itself, and a read of a key that nobody writes changes nothing.
 */
function repair(
  state: ReplicaState,
  { key, answers, past }: QuorumRead,
  local: Container,
  merged: Container,
  wallMs: number,
  effects: Effects,
): void {
  const isOwnStale = !hasSameDots(local.versions, merged.versions);
  if (isOwnStale) {
    dependOn(state, past);
    effects.store(state, key, strip(merged, knownOf(state, key)), local.versions, wallMs);
  }
  let stale = isOwnStale ? 1 : 0;
  for (const [peer, versions] of answers) {
    // What is about to be dropped there is no difference.
    if (hasSameDots(keptAt(versions, wallMs), merged.versions)) continue;
    stale++;
    effects.sends.push({ to: peer, kind: 'repair', key });
  }
  if (stale > 0) effects.observations.push({ kind: 'read-repaired', key, stale });
}

/** The peer did not answer; it is asked again at the next tick. */
export function readFailed({ quorumReads }: ReplicaState, peer: string, id: RequestId): void {
  quorumReads.get(id)?.asked.delete(peer);
}

/** The reader waits no longer. */
export function giveUpRead({ quorumReads }: ReplicaState, id: RequestId, effects: Effects): void {
  const waiting = quorumReads.get(id);
  if (waiting === undefined) return;
  quorumReads.delete(id);
  const answers = 1 + waiting.answers.size;
  effects.replies.push({ id, kind: 'read', result: { kind: 'not-reached', answers } });
}
