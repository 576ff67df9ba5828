// How do counters, sets and maps stand in JSON?

import { compareKeys } from '../../clock/claims.js';
import type { Version } from '../../clock/container.js';
import { sumOf } from '../../clock/counter.js';
import { winner, type Resolution } from '../../clock/resolution.js';
import type { ValueType } from '../../clock/value-type.js';

export type CollectionType = Exclude<ValueType, 'register'>;

const decoder = new TextDecoder();

/**
 * The value as JSON text. A counter: a number, or beyond 2^53 - 1 a string of its digits. A set: an array of strings, in the
 * order of their bytes. A map: an object, with the winner of each field.
 * @param versions of the type, all of them
 */
export function valueText(type: CollectionType, versions: readonly Version[], resolution: Resolution): string {
  switch (type) {
    case 'counter':
      return numberText(sumOf(versions));
    case 'set':
      return JSON.stringify(elementsOf(versions));
    case 'map':
      return mapText(versions, resolution);
  }
}

/** What one version says: a partial sum, or what stands in a field; undefined for an element of a set. */
export function partText({ type, value }: Version): string | undefined {
  if (type === 'counter') return numberText(BigInt(decoder.decode(value)));
  return type === 'map' ? decoder.decode(value) : undefined;
}

function numberText(sum: bigint): string {
  const isExact = sum >= Number.MIN_SAFE_INTEGER && sum <= Number.MAX_SAFE_INTEGER;
  return isExact ? sum.toString() : `"${sum}"`;
}

/** Adds of one element that raced are several versions of it. */
function elementsOf(versions: readonly Version[]): string[] {
  return [...new Set(versions.map(({ part }) => part))].sort(compareKeys);
}

/** Put together from the fields' own texts: no name of a field, `__proto__` among them, means anything on the way. */
function mapText(versions: readonly Version[], resolution: Resolution): string {
  const fields = new Map<string, Version[]>();
  for (const version of versions) {
    const siblings = fields.get(version.part);
    if (siblings === undefined) fields.set(version.part, [version]);
    else siblings.push(version);
  }
  const members = [...fields.keys()].sort(compareKeys).map((field) => {
    const best = winner(fields.get(field)!, resolution)!;
    return `${JSON.stringify(field)}:${decoder.decode(best.value)}`;
  });
  return `{${members.join(',')}}`;
}
