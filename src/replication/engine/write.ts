// What happens on a client's write?
//
// The container is filled with the clock, the versions that the author had seen and the operation replaces go, each new one
// gets the next dot of this actor, and the dots are logged with the key: that of a removal too, so that it travels. However
// many parts an operation has, it is one step, and one commit.

import { fill, strip, updateAll, type Container, type Version } from '../../clock/container.js';
import type { Dot } from '../../clock/dot.js';
import { seenAfter } from '../../clock/dotted-vector.js';
import { nextStamp, type Stamp } from '../../clock/hybrid-clock.js';
import { liveAt } from '../../clock/lifetime.js';
import { siblingCount } from '../../clock/siblings.js';
import { typeOf } from '../../clock/key-type.js';
import { advance, beyond, counterOf } from '../../clock/version-vector.js';
import type { WriteInput } from './input.js';
import { refusalOf } from '../../clock/key-limits.js';
import { changeOf, typeOfOperation, type Change } from './operation.js';
import type { WriteResult } from './output.js';
import { dependOn } from './past.js';
import { pushTo } from './push.js';
import { answerAgain, waitAgain } from './requests.js';
import type { Effects } from './effects.js';
import { knownOf, type ReplicaState, type Stored } from './state.js';

export function write(state: ReplicaState, input: WriteInput, stored: Stored, effects: Effects): void {
  const before = fill(stored.container(input.key), knownOf(state, input.key));
  const result = answerAgain(input, before, state, stored) ?? attempt(state, input, before, effects);
  if (result.kind === 'written' && result.dot !== undefined && input.acksNeeded > result.acks) {
    if (result.isRepeated) waitAgain(state, input.id, result.dot, input.acksNeeded, result);
    else state.acknowledgements.wait(input.id, result.dot, input.acksNeeded, result);
  } else effects.replies.push({ id: input.id, kind: 'write', result });
}

function attempt(state: ReplicaState, input: WriteInput, before: Container, effects: Effects): WriteResult {
  const { key, operation, wallMs } = input;
  const live = liveAt(before.versions, wallMs);
  if (input.precondition !== undefined && !input.precondition(live)) return { kind: 'precondition-failed', live };
  const type = typeOf(live);
  if (type !== undefined && type !== typeOfOperation(operation)) return { kind: 'wrong-type', type, live };

  const existed = live.length > 0;
  const change = changeOf(operation, before.versions, { actor: state.actor, wallMs });
  const isNothing = change.parts.length === 0 && !change.removes;
  // One that has a name needs a dot to be remembered by.
  if (isNothing && input.requestName === undefined) {
    const container = { versions: live, context: before.context };
    const { past } = state;
    return { kind: 'written', dot: undefined, container, seen: undefined, past, existed, acks: 1, isRepeated: false };
  }
  const { versions, dot, stamp } = mint(state, { ...change, removes: change.removes || isNothing }, wallMs);
  const context = input.context ?? { vector: before.context, dot: undefined };
  const after = updateAll(before, dot, context, versions, change.replaces);
  const refusal = refusalOf(before.versions, after.versions);
  if (refusal !== undefined) return { kind: refusal, live };

  // What the author was shown may depend on more than its context of the key says, and so does what it writes.
  if (input.context !== undefined) dependOn(state, input.context.past);
  if (input.context?.dot !== undefined) state.named = beyond(advance(state.named, input.context.dot), state.clock);
  const first = counterOf(state.clock, dot.actor) + 1;
  const request = input.requestName && { ...input.requestName, dots: dot.counter - first + 1 };
  effects.logRequest({ actor: dot.actor, counter: first }, key, request, wallMs);
  for (let counter = first + 1; counter <= dot.counter; counter++) effects.logDot(dot.actor, counter, key);
  // A key that knew nothing more than the clock knows just as much now: one vector serves both.
  const hadClock = before.context === state.clock && input.context === undefined;
  state.clock = hadClock ? after.context : advance(state.clock, dot);
  state.stamp = stamp;
  effects.store(state, key, strip(after, knownOf(state, key)), before.versions, wallMs);
  const container = { versions: liveAt(after.versions, wallMs), context: after.context };
  const siblings = siblingCount(container.versions);
  if (siblings > 1) effects.observations.push({ kind: 'conflict', key, siblings });
  for (const peer of state.peers.values()) pushTo(state, peer, effects);
  const { past } = state;
  const seen = input.context && seenAfter(input.context, dot, before.versions, { context: after.context, past });
  return { kind: 'written', dot, container, seen, past, existed, acks: 1, isRepeated: false };
}

/** Gives each part a dot and a stamp, and what goes without a successor one more dot; the last dot and stamp. */
function mint(
  { actor, clock, stamp: last }: ReplicaState,
  { parts, removes }: Change,
  wallMs: number,
): { versions: readonly Version[]; dot: Dot; stamp: Stamp } {
  let counter = counterOf(clock, actor);
  let stamp = last;
  const versions = parts.map(({ type, part, contentType, value, deadlineMs }) => {
    stamp = nextStamp(stamp, wallMs);
    counter++;
    return { actor, counter, stamp, type, part, contentType, value, deadlineMs };
  });
  if (removes) {
    stamp = nextStamp(stamp, wallMs);
    counter++;
  }
  return { versions, dot: { actor, counter }, stamp };
}
