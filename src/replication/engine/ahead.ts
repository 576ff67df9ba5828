// What if a key knows more than the node?
//
// A batch's containers are filled with its sender's whole clock, and a client's context may come from another replica, so
// a merged container can know of dots that no range has brought yet. Usually the ranges follow. When their origin is
// dead and nobody holds them, they never do: then the survivors' containers may differ though their clocks are equal. So
// replicas compare a digest of their keys ahead, and when it differs exchange those containers, without ranges.

import type { Actor } from '../../clock/dot.js';
import { counterOf, type VersionVector } from '../../clock/version-vector.js';
import { settle } from '../../clock/claims.js';
import { knownOf, type ReplicaState } from './state.js';

/**
 * Under constant load clocks are never equal and keys are ahead for a moment all the time. A difference that lasts this
 * many comparisons (half a second each) is acted upon all the same.
 */
export const AHEAD_DIFFERS_MAX = 20;

/** Ticks after which the digest is computed though the clock moves: many keys are ahead then, for a moment. */
const DIGEST_AT_LEAST_EVERY = 10;

/** Taken once for each character of every digest; a look at a global is slow in a sandbox, as jest's is. */
const { imul } = Math;

/**
 * Brings the digest of keys ahead up to date, as long as nothing changes at least: it matters at rest.
 * @returns whether it is
 */
export function digestAhead(state: ReplicaState): boolean {
  const isMoving = state.clock !== state.digestedAt;
  if (isMoving && ++state.ticksSinceDigest < DIGEST_AT_LEAST_EVERY) {
    state.digestedAt = state.clock;
    return false;
  }
  digestNow(state);
  return true;
}

export function digestNow(state: ReplicaState): void {
  state.digestedAt = state.clock;
  state.ticksSinceDigest = 0;
  state.aheadDigest = aheadDigest(state);
}

/**
 * Names the set of keys ahead with their contexts; 0 for none. The order of keys does not matter. Two replicas with equal
 * clocks and equal contexts of a key have the same versions of it, so versions need not go in.
 */
function aheadDigest(state: ReplicaState): number {
  let sum = 0;
  for (const [key, context] of state.ahead) {
    const entries = entriesBeyond(context, knownOf(state, key));
    if (entries.length > 0) sum = withText(sum, `${key}\n${entries.join(' ')}`);
  }
  return sum;
}

/**
 * Names what is claimed beyond the clock; 0 for nothing. Claims are in normal form, and few: it is computed whenever it is
 * told, for one of another moment would look like a difference.
 */
export function claimsDigest({ claims, clock }: ReplicaState): number {
  const settled = settle(claims, clock);
  if (settled.length === 0) return 0;
  return hash52(
    settled.map((claim) => `${claim.through ?? '\n'}\n${entriesBeyond(claim.clock, clock).join(' ')}`).join('\n'),
  );
}

/** Names what is known of the actor's dots beyond the clock, of keys and of ranges. */
export function beyondDigest(state: ReplicaState, actor: Actor): number {
  let sum = claimsDigest(state);
  for (const [key, context] of state.ahead) {
    const counter = counterOf(context, actor);
    if (counter > counterOf(knownOf(state, key), actor)) sum = withText(sum, `${key}\n${counter}`);
  }
  return sum;
}

function entriesBeyond(context: VersionVector, clock: VersionVector): string[] {
  const entries = [];
  for (const [actor, counter] of context) if (counter > counterOf(clock, actor)) entries.push(`${actor}:${counter}`);
  return entries.sort();
}

function withText(sum: number, text: string): number {
  return (sum + hash52(text)) % 2 ** 52;
}

/**
 * Two 32-bit FNV-1a hashes from different seeds, of which 52 bits are kept: a sum of two is exact, so the order in which
 * they are added does not matter. Not cryptographic; peers are trusted.
 */
export function hash52(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = imul(low ^ unit, 0x01000193);
    high = imul(high ^ unit, 0x85ebca6b);
  }
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
}
