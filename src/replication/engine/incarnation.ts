// When does a replica go on as another actor?
//
// A peer that knows more of this actor than the node itself has seen dots that the node's disk has lost. To mint them
// again would give two values one dot, and replicas would never agree. Who lost those dots, or never got them, may still know
// of them by what others' writes had seen.

import { claimedByAny } from '../../clock/claims.js';
import type { Actor } from '../../clock/dot.js';
import { counterOf, EMPTY_VECTOR, type VersionVector } from '../../clock/version-vector.js';
import type { Effects } from './effects.js';
import type { Batch } from './messages.js';
import type { ReplicaState } from './state.js';

/** Looks at all that a batch, or a piece of keys, tells of this actor. */
export function checkIncarnations(
  state: ReplicaState,
  { clock, containers, past }: Pick<Batch, 'clock' | 'containers' | 'past'>,
  effects: Effects,
): void {
  for (const known of [clock, past]) checkIncarnation(state, known, effects);
  for (const { context } of containers.values()) checkIncarnation(state, context, effects);
}

/** Someone has seen all of this: if it is more of this actor than the node has, a new incarnation begins. */
export function checkIncarnation(state: ReplicaState, clock: VersionVector, effects: Effects): void {
  if (counterOf(clock, state.actor) <= counterOf(state.clock, state.actor)) return;
  const retired = state.actor;
  state.actor = `${state.name}.${state.nextIncarnation()}`;
  effects.touchNode();
  effects.observations.push({ kind: 'new-incarnation', actor: state.actor, retired });
}

/** What this replica knows of an actor beyond its clock: of keys ahead, of ranges, of what may be shown, or by a client. */
export function heardOf(
  { clock, claims, ahead, past, givenUp, named }: ReplicaState,
  actor: Actor | undefined,
): VersionVector {
  if (actor === undefined) return EMPTY_VECTOR;
  const heard = [claimedByAny(claims), past, givenUp, named];
  let counter = Math.max(...heard.map((known) => counterOf(known, actor)));
  for (const context of ahead.values()) counter = Math.max(counter, counterOf(context, actor));
  return counter > counterOf(clock, actor) ? new Map([[actor, counter]]) : EMPTY_VECTOR;
}
