// What does it mean that a peer has not answered, or has refused?

import { interruptBootstrap, pullFailed } from './bootstrap.js';
import type { Effects } from './effects.js';
import type { Input } from './input.js';
import { pushRefused } from './push.js';
import { readFailed } from './quorum-reads.js';
import { fetchFailed, forgetAnswers } from './repair.js';
import type { ReplicaState } from './state.js';

/** A peer that has left so many comparisons in a row without an answer is not waited for. */
const SILENT_COMPARISONS_MIN = 3;

type PeerFailureInput = Extract<Input, { kind: 'peer-failure' }>;

export function peerFailed(
  state: ReplicaState,
  { from, to, readId, wasAnswered }: PeerFailureInput,
  effects: Effects,
): void {
  if (readId !== undefined) readFailed(state, from, readId);
  const peer = state.peers.get(from);
  if (peer === undefined) return;
  if (to === 'push') peer.pushingSince = undefined;
  if (to === 'push' && wasAnswered) pushRefused(peer);
  if (to === 'compare') peer.isComparing = false;
  if (to === 'fetch') fetchFailed(state, from);
  if (to === 'pull' || to === 'pull-keys') pullFailed(state, peer);
  // A comparison that fails ends a pull too: its answer may take long to be given up, and another peer can help now.
  if (to !== 'push' && state.pullingFrom === from) state.pullingFrom = undefined;
  if (to !== 'push' && state.pullingAheadFrom === from) state.pullingAheadFrom = undefined;
  if (to === 'compare') peer.failedComparisons++;
  // A replica that is busy may be late with one answer or two, and its piece is on its way.
  if (to === 'pull-keys' || peer.failedComparisons >= SILENT_COMPARISONS_MIN) interruptBootstrap(state, from);
  if (to === 'compare' || to === 'members') peer.hasBeenTried = true;
  // What it refused is tried again after the next comparison, a push after more and more of them, and so is a list of members,
  // which may have been lost long ago.
  if ((wasAnswered && to !== 'compare') || to === 'members') return;
  if (peer.hasCompared) effects.observations.push({ kind: 'peer-unreachable', peer: peer.name });
  peer.hasCompared = false;
  if (!peer.isReachable) return;
  peer.isReachable = false;
  // Whatever it hears while it is away, it was level before.
  peer.levels.clear();
  forgetAnswers(state, peer);
}
