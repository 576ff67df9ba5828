// Has this request been carried out before?
//
// A client whose answer was lost sends its write again, with the same idempotency key. The request has a name, which goes into
// the log with the first dot that it wrote: every replica that logs that dot remembers the request in the same commit. A
// request that is remembered is not carried out again, and answered as it was. What was refused wrote nothing and is not
// remembered. A replica that has not heard of the first attempt yet can't know: it carries the second one out too.

import type { Container } from '../../clock/container.js';
import { compareDots, type Dot } from '../../clock/dot.js';
import { seenAfter } from '../../clock/dotted-vector.js';
import { liveAt } from '../../clock/lifetime.js';
import type { KeptRequest, OverdueRequest } from '../../clock/request.js';
import { covers, EMPTY_VECTOR } from '../../clock/version-vector.js';
import type { Input, RequestId, WriteInput } from './input.js';
import type { WriteResult } from './output.js';
import type { Effects } from './effects.js';
import type { Peer, ReplicaState, Stored } from './state.js';

type Written = Extract<WriteResult, { kind: 'written' }>;

/** What is answered to a request that is remembered; undefined: it is a new one, or has no name. */
export function answerAgain(
  { requestName, key, context, wallMs }: WriteInput,
  now: Container,
  { past, peers }: ReplicaState,
  stored: Stored,
): WriteResult | undefined {
  if (requestName === undefined) return undefined;
  const kept = stored.requested({ key, id: requestName.id });
  if (kept === undefined) return undefined;
  const live = liveAt(now.versions, wallMs);
  if (kept.fingerprint !== requestName.fingerprint) return { kind: 'request-reused', live };
  const container = { versions: live, context: now.context };
  const acks = 1 + knownToHave(kept.dot, peers.values()).length;
  // What it replaced the first time is gone, whoever had seen it. What has come since, its author was not shown.
  const had = context ?? { vector: EMPTY_VECTOR, dot: undefined, past: EMPTY_VECTOR };
  const seen = seenAfter(had, kept.dot, now.versions, { context: now.context, past });
  return { kind: 'written', dot: kept.dot, container, seen, past, existed: true, acks, isRepeated: true };
}

export function awaitAcks(state: ReplicaState, input: Extract<Input, { kind: 'await-acks' }>, effects: Effects): void {
  const { id, dot, acksNeeded, isRepeated } = input;
  if (!isRepeated) return state.acknowledgements.wait(id, dot, acksNeeded);
  const acks = 1 + knownToHave(dot, state.peers.values()).length;
  if (acks >= acksNeeded) effects.replies.push({ id, kind: 'acks', acks });
  else waitAgain(state, id, dot, acksNeeded);
}

/** Waits for acknowledgements of a dot that was written before, by this replica or another. */
export function waitAgain(
  { acknowledgements, peers }: ReplicaState,
  id: RequestId,
  dot: Dot,
  acksNeeded: number,
  result?: Written,
): void {
  acknowledgements.waitAgain(id, dot, acksNeeded, knownToHave(dot, peers.values()), result);
}

/** The peers that have told that they have the dot. */
function knownToHave(dot: Dot, peers: Iterable<Peer>): readonly string[] {
  return [...peers].filter(({ clock }) => clock !== undefined && covers(clock, dot)).map(({ name }) => name);
}

/** A replica has taken over keys: it remembers the requests that wrote them too, from now on. */
export function takeRequests(requests: readonly KeptRequest[], stored: Stored, wallMs: number, effects: Effects): void {
  for (const request of requests) {
    const kept = stored.requested(request);
    // Another dot: it was carried out once more where it had been forgotten. Of two that are known, the younger one counts.
    const isNew = kept === undefined || (compareDots(kept.dot, request.dot) !== 0 && kept.sinceMs < request.sinceMs);
    if (isNew) effects.remember(request, { ...request, sinceMs: wallMs });
  }
}

/** The time for which they were to be remembered is over, or their records can't be read. */
export function forgetRequests(requests: readonly OverdueRequest[], stored: Stored, effects: Effects): void {
  for (const request of requests) if (isStillKept(request, stored)) effects.remember(request, undefined);
}

/** Not when it has come anew meanwhile. */
function isStillKept(request: OverdueRequest, stored: Stored): boolean {
  try {
    return stored.requested(request)?.sinceMs === request.sinceMs;
  } catch {
    // It would be refused for ever.
    return true;
  }
}
