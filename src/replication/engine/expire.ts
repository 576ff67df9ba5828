// What happens when lifetimes end?
//
// Nothing that anybody has to be told: each replica drops the versions by itself, without a dot, and the outcome is the same
// everywhere. What is known of the key covers their dots, so whoever syncs with a replica that has dropped them drops them
// too. Where a merge brings one that has ended already, it is not stored at all.

import { keep } from '../../clock/lifetime.js';
import type { Input } from './input.js';
import type { Effects } from './effects.js';
import type { ReplicaState, Stored } from './state.js';

/** Versions of the key may be past their deadlines. */
export function expire(
  state: ReplicaState,
  { key, wallMs }: Extract<Input, { kind: 'expire' }>,
  stored: Stored,
  effects: Effects,
): void {
  const container = stored.container(key);
  const left = keep(container, wallMs);
  if (left === container) return;
  effects.store(state, key, left, container.versions, wallMs);
  effects.observations.push({ kind: 'expired', key, versions: container.versions.length - left.versions.length });
}
