// What does a replica know of a range of keys beyond its node clock?
//
// While a replica is brought level range by range of keys, it knows more of the keys taken already than of the others. It
// would be a waste to write that beside each key, and impossible beside deleted ones, which are not stored. So one vector
// stands for a whole range: the full state of *every* key in it, absent ones too, is known as of that vector. The node
// clock is what is known of all keys; once claims cover every key, what all of them have in common goes into it.

import { beyond, EMPTY_VECTOR, equalVectors, join, meet, type VersionVector } from './version-vector.js';

/** Keys after the `through` of the claim before it, up to and with its own `through`; undefined: to the last key. */
export interface Claim {
  readonly through: string | undefined;
  /** Empty for a range of which nothing more is known. */
  readonly clock: VersionVector;
}

/** In the order of keys, without gaps from the first key on; behind the last one nothing is claimed. */
export type Claims = readonly Claim[];

export const NO_CLAIMS: Claims = [];

/** Keys after `after` (undefined: from the first) up to and with `through` (undefined: to the last). */
export interface KeySpan {
  readonly after: string | undefined;
  readonly through: string | undefined;
}

/** What is claimed of `key`. */
export function claimOf(claims: Claims, key: string): VersionVector {
  let low = 0;
  let high = claims.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { through } = claims[middle]!;
    if (through !== undefined && compareKeys(through, key) < 0) low = middle + 1;
    else high = middle;
  }
  return claims[low]?.clock ?? EMPTY_VECTOR;
}

/** The claims, with `clock` claimed of every key in `span` besides. */
export function raise(claims: Claims, span: KeySpan, clock: VersionVector): Claims {
  const raised: Claim[] = [];
  let start: string | undefined;
  for (const through of boundaries(claims, span)) {
    const isInside =
      (span.after === undefined || (start !== undefined && compareKeys(span.after, start) <= 0)) &&
      compareEnds(through, span.through) <= 0;
    const before = through === undefined ? lastClaim(claims) : claimOf(claims, through);
    raised.push({ through, clock: isInside ? join(before, clock) : before });
    start = through;
  }
  return tidied(raised);
}

/** The claims in normal form, without what `nodeClock` covers: equal knowledge has equal claims. */
export function settle(claims: Claims, nodeClock: VersionVector): Claims {
  if (claims.length === 0) return claims;
  return tidied(claims.map(({ through, clock }) => ({ through, clock: beyond(clock, nodeClock) })));
}

/** What is claimed of every key up to and with `through`; undefined: of all keys. */
export function claimedByAll(claims: Claims, through: string | undefined): VersionVector {
  let common: VersionVector | undefined;
  for (const claim of claims) {
    common = common === undefined ? claim.clock : meet(common, claim.clock);
    if (compareEnds(claim.through, through) >= 0) return common;
  }
  return EMPTY_VECTOR;
}

/** Everything that is claimed of any key. */
export function claimedByAny(claims: Claims): VersionVector {
  return claims.reduce((all, { clock }) => join(all, clock), EMPTY_VECTOR);
}

/** Order of keys: that of their UTF-8 bytes, which is the order of code points. UTF-16 units differ from it. */
export function compareKeys(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points beyond all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Whether a key lies in the span. */
export function isWithin({ after, through }: KeySpan, key: string): boolean {
  return (after === undefined || compareKeys(after, key) < 0) && compareEnds(key, through) <= 0;
}

function compareEnds(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  return compareKeys(left, right);
}

/** The ends of all ranges in which nothing changes, in order; the last is the end of all keys. */
function boundaries(claims: Claims, { after, through }: KeySpan): readonly (string | undefined)[] {
  const ends = claims.map((claim) => claim.through);
  if (after !== undefined) ends.push(after);
  ends.push(through, undefined);
  ends.sort(compareEnds);
  return ends.filter((end, place) => place === 0 || compareEnds(ends[place - 1], end) !== 0);
}

function lastClaim(claims: Claims): VersionVector {
  const last = claims.at(-1);
  return last !== undefined && last.through === undefined ? last.clock : EMPTY_VECTOR;
}

/** Equal neighbours are one; nothing is said of the end when nothing is claimed of it. */
function tidied(claims: readonly Claim[]): Claims {
  const tidy: Claim[] = [];
  for (const claim of claims) {
    const previous = tidy.at(-1);
    if (previous !== undefined && equalVectors(previous.clock, claim.clock)) tidy.pop();
    tidy.push(claim);
  }
  while (tidy.length > 0 && tidy.at(-1)!.clock.size === 0) tidy.pop();
  return tidy;
}
