// Which of several siblings does a reader get?
//
// Resolution is a view: computed at read time from the live versions alone, it is the same at every replica that holds
// the same ones, whatever the order in which they came, and it never makes a new version.

import { compareKeys } from './claims.js';
import { compareDots } from './dot.js';
import type { Version } from './container.js';
import { VALUE_TYPES } from './value-type.js';

/**
 * `order`: the greatest value, compared by its bytes. For UTF-8 text that is the order of Unicode code points, Python's
 * order of strings; JavaScript's `<` compares UTF-16 units and puts U+1F600 below U+FF5E. `latest`: the greatest stamp.
 */
export type Resolution = 'order' | 'latest';

export const RESOLUTIONS: readonly Resolution[] = ['order', 'latest'];

/** The version that a reader gets, or undefined when none lives. */
export function winner(versions: readonly Version[], resolution: Resolution): Version | undefined {
  if (versions.length <= 1) return versions[0];
  const precedes = comparators[resolution];
  return versions.reduce((best, version) => (precedes(version, best) < 0 ? version : best));
}

/**
 * All versions: those of the key's type first, and of each element or field, in the order of their bytes, the winner first and
 * the rest in descending order.
 */
export function ranked(versions: readonly Version[], resolution: Resolution): readonly Version[] {
  const compare = comparators[resolution];
  return [...versions].sort(
    (left, right) =>
      VALUE_TYPES.indexOf(right.type) - VALUE_TYPES.indexOf(left.type) ||
      compareKeys(left.part, right.part) ||
      compare(left, right),
  );
}

/** Negative when `left` goes before `right`. Equal values or stamps are decided by the greater dot, which is unique. */
const comparators: Record<Resolution, (left: Version, right: Version) => number> = {
  order: (left, right) => compareBytes(right.value, left.value) || compareDots(right, left),
  latest: (left, right) => right.stamp - left.stamp || compareDots(right, left),
};

/** Lexicographic order of unsigned bytes; a proper prefix goes first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const difference = left[i]! - right[i]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
