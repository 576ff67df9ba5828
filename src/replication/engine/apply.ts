// What does a batch from a peer change?
//
// Containers are merged, entries logged, and the clock advances by the ranges, not by the batch's clock: that one covers
// dots whose keys are not in the batch. Both sides of a merge are filled first, the local side with the clock *before*
// the ranges are added: after them it would claim to have replaced what it has never had.

import { claimOf } from '../../clock/claims.js';
import { fill, strip, sync } from '../../clock/container.js';
import { keep, liveAt } from '../../clock/lifetime.js';
import { siblingCount } from '../../clock/siblings.js';
import { advance, beyond, counterOf, countBeyond, join, type VersionVector } from '../../clock/version-vector.js';
import { isSame, observeStamps } from './merge.js';
import { clockOf, rangeEnd, type Batch, type DotRange } from './messages.js';
import { dependOn, pastOf } from './past.js';
import type { Effects } from './effects.js';
import { knownOf, type ReplicaState, type Stored } from './state.js';

/** Keys ahead are looked over at this rate, per merged key: each is met again soon, and no step takes long. */
const SWEPT_PER_MERGED_KEY = 2;

/** Merges the batch. False: a range begins beyond the clock (a gap), and nothing has changed. */
export function applyBatch(
  state: ReplicaState,
  from: string,
  batch: Batch,
  stored: Stored,
  wallMs: number,
  effects: Effects,
): boolean {
  const gap = batch.ranges.find((range) => counterOf(state.clock, range.actor) < range.from);
  if (gap !== undefined) {
    effects.observations.push({ kind: 'gap', from, actor: gap.actor });
    return false;
  }

  // Everything is read before anything is changed: a record that can't be read leaves the step without effect.
  const before = state.clock;
  const locals = Array.from(batch.containers.keys(), (key) => stored.container(key));
  const after = batch.ranges.reduce(
    (clock, range) => advance(clock, { actor: range.actor, counter: rangeEnd(range) }),
    before,
  );

  // Before the merges, which may write the same keys again.
  sweepAhead(state, SWEPT_PER_MERGED_KEY * batch.containers.size, effects);
  let place = 0;
  for (const [key, remote] of batch.containers) {
    const local = locals[place++]!;
    const claim = claimOf(state.claims, key);
    const synced = sync(fill(local, join(before, claim)), fill(remote, clockOf(batch, key)));
    const merged = strip(keep(synced, wallMs), join(after, claim));
    if (!isSame(local, merged)) effects.store(state, key, merged, local.versions, wallMs);
    const siblings = siblingCount(liveAt(merged.versions, wallMs));
    if (siblings > 1 && siblings > siblingCount(local.versions)) {
      effects.observations.push({ kind: 'conflict', key, siblings });
    }
    observeStamps(state, from, key, remote, before, wallMs, effects);
  }
  let dots = 0;
  for (const range of batch.ranges) dots += logNewDots(range, before, wallMs, effects);
  if (dots > 0) effects.touchNode();
  state.clock = after;
  dependOn(state, pastOf(batch, after));
  const missing = countBeyond(batch.clock, after);
  effects.observations.push({ kind: 'batch-applied', from, dots, keys: batch.containers.size, missing });
  return true;
}

/**
 * Strips keys ahead whose contexts the clock has caught up with, up to `keysMax` of them; those looked at and left go to
 * the back of the queue.
 */
export function sweepAhead(state: ReplicaState, keysMax: number, effects: Effects): void {
  const candidates = [];
  for (const candidate of state.ahead) {
    if (candidates.length >= keysMax) break;
    candidates.push(candidate);
  }
  for (const [key, context] of candidates) {
    const left = beyond(context, knownOf(state, key));
    state.ahead.delete(key);
    if (left.size === context.size) state.ahead.set(key, context);
    else effects.storeContext(state, key, left);
  }
}

function logNewDots(range: DotRange, before: VersionVector, wallMs: number, effects: Effects): number {
  const known = counterOf(before, range.actor);
  let dots = 0;
  for (let counter = Math.max(known, range.from) + 1; counter <= rangeEnd(range); counter++, dots++) {
    const key = range.keys[counter - range.from - 1]!;
    effects.logRequest({ actor: range.actor, counter }, key, range.requests?.get(counter), wallMs);
  }
  return dots;
}
