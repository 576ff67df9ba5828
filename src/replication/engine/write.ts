// What happens on a client's write?
//
// The container is filled with the clock, the versions that the author had seen go, the new one gets the next dot of
// this actor, and the dot is logged with its key: a delete too, so that it travels.

import { fill, strip, update, type Version } from '../../clock/container.js';
import type { Dot } from '../../clock/dot.js';
import { nextStamp } from '../../clock/hybrid-clock.js';
import { registerReplaces } from '../../clock/register.js';
import { advance, counterOf } from '../../clock/version-vector.js';
import type { WriteInput } from './input.js';
import type { WriteResult } from './output.js';
import { pushTo } from './push.js';
import { knownOf, type Effects, type ReplicaState, type Stored } from './state.js';

/**
 * A write that would leave more siblings than this, or more bytes in them, is refused; one that has seen them is not.
 * A container travels whole: without a bound a client with stale contexts could make it too large to replicate.
 */
export const SIBLINGS_MAX = 64;
export const SIBLING_BYTES_MAX = 8 * 1024 * 1024;

export function write(state: ReplicaState, input: WriteInput, stored: Stored, effects: Effects): void {
  const before = fill(stored.container(input.key), knownOf(state, input.key));
  if (input.precondition !== undefined && !input.precondition(before.versions)) {
    return answer({ kind: 'precondition-failed', live: before.versions });
  }

  const stamp = nextStamp(state.stamp, input.wallMs);
  const dot: Dot = { actor: state.actor, counter: counterOf(state.clock, state.actor) + 1 };
  const version: Version | undefined = input.content && { ...dot, stamp, ...input.content };
  const after = update(before, dot, input.context ?? before.context, version, registerReplaces);
  if (after.versions.length > before.versions.length && exceedsLimits(after.versions)) {
    return answer({ kind: 'too-many-siblings', live: before.versions });
  }

  state.clock = advance(state.clock, dot);
  state.stamp = stamp;
  effects.logDot(dot.actor, dot.counter, input.key);
  effects.store(state, input.key, strip(after, knownOf(state, input.key)));
  if (after.versions.length > 1) {
    effects.observations.push({ kind: 'conflict', key: input.key, siblings: after.versions.length });
  }
  for (const peer of state.peers.values()) pushTo(state, peer, effects);

  const result = { kind: 'written', dot, container: after, existed: before.versions.length > 0, acks: 1 } as const;
  if (input.acksNeeded > 1) state.acknowledgements.wait(input.id, result, input.acksNeeded);
  else answer(result);

  function answer(result: WriteResult): void {
    effects.replies.push({ id: input.id, kind: 'write', result });
  }
}

function exceedsLimits(versions: readonly Version[]): boolean {
  if (versions.length < 2) return false;
  let bytes = 0;
  for (const version of versions) bytes += version.value.length;
  return versions.length > SIBLINGS_MAX || bytes > SIBLING_BYTES_MAX;
}
