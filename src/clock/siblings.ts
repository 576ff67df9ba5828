// How many values compete to be a key's one value?
//
// One: no conflict. Writes of a register that raced are siblings of each other, and so are those of one field of a map. A
// counter adds up, and a set holds all of its elements: neither has a conflict in itself. Types that raced compete with
// each other, so what each of them counts is added up.

import type { Version } from './container.js';

/** 0: nothing lives. Above 1: a conflict. */
export function siblingCount(versions: readonly Version[]): number {
  if (versions.length <= 1) return versions.length;
  let registers = 0;
  let hasCounter = false;
  let hasSet = false;
  let fields: Map<string, number> | undefined;
  for (const { type, part } of versions) {
    if (type === 'register') registers++;
    else if (type === 'counter') hasCounter = true;
    else if (type === 'set') hasSet = true;
    else (fields ??= new Map()).set(part, (fields.get(part) ?? 0) + 1);
  }
  return registers + Number(hasCounter) + Number(hasSet) + (fields === undefined ? 0 : most(fields.values()));
}

function most(counts: Iterable<number>): number {
  let greatest = 0;
  for (const count of counts) greatest = Math.max(greatest, count);
  return greatest;
}
