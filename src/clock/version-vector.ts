// What has been seen?
//
// A version vector maps each actor to the highest counter seen from it, and so names a set of dots without holes: it
// covers a dot when its entry is at least the dot's counter. An absent actor counts as 0. Vectors are values: no
// function here changes its arguments, and a result may share structure with them.
// Source: Parker et al.: Detection of Mutual Inconsistency in Distributed Systems (1983).

import type { Actor, Dot } from './dot.js';

/** Actor → highest counter, each at least 1. A `Map`, because actors come from outside and `__proto__` is a legal key. */
export type VersionVector = ReadonlyMap<Actor, number>;

/** The vector that covers nothing. */
export const EMPTY_VECTOR: VersionVector = new Map();

/** The highest counter of `actor` that `vector` covers; 0 for none. */
export function counterOf(vector: VersionVector, actor: Actor): number {
  return vector.get(actor) ?? 0;
}

/** Whether the event `dot` lies in the past that `vector` describes. */
export function covers(vector: VersionVector, dot: Dot): boolean {
  return counterOf(vector, dot.actor) >= dot.counter;
}

/** Whether `left` covers every dot that `right` covers. */
export function descends(left: VersionVector, right: VersionVector): boolean {
  if (left === right) return true;
  for (const [actor, counter] of right) if (counterOf(left, actor) < counter) return false;
  return true;
}

/** Whether both vectors cover the same dots. */
export function equalVectors(left: VersionVector, right: VersionVector): boolean {
  return left.size === right.size && descends(left, right) && descends(right, left);
}

/** The least vector that covers what either covers: the pointwise maximum. */
export function join(left: VersionVector, right: VersionVector): VersionVector {
  if (descends(left, right)) return left;
  if (descends(right, left)) return right;
  const joined = new Map(left);
  for (const [actor, counter] of right) if (counterOf(left, actor) < counter) joined.set(actor, counter);
  return joined;
}

/** The greatest vector that both cover: the pointwise minimum. */
export function meet(left: VersionVector, right: VersionVector): VersionVector {
  const common = new Map<Actor, number>();
  for (const [actor, counter] of left) {
    const least = Math.min(counter, counterOf(right, actor));
    if (least > 0) common.set(actor, least);
  }
  return common;
}

/** `vector` with the entry of the dot's actor raised to the dot's counter; never lowered. */
export function advance(vector: VersionVector, dot: Dot): VersionVector {
  if (covers(vector, dot)) return vector;
  return new Map(vector).set(dot.actor, dot.counter);
}

/** The entries of `vector` that reach beyond `base`; empty when `base` covers it all. */
export function beyond(vector: VersionVector, base: VersionVector): VersionVector {
  if (descends(base, vector)) return EMPTY_VECTOR;
  const rest = new Map<Actor, number>();
  for (const [actor, counter] of vector) if (counterOf(base, actor) < counter) rest.set(actor, counter);
  return rest;
}

/** How many dots `vector` covers that `base` does not. */
export function countBeyond(vector: VersionVector, base: VersionVector): number {
  let dots = 0;
  for (const [actor, counter] of vector) dots += Math.max(0, counter - counterOf(base, actor));
  return dots;
}
