// Which type has a key? That of its live versions; of several that raced, the one that takes precedence.

import type { Version } from './container.js';
import { VALUE_TYPES, type ValueType } from './value-type.js';

/** The type of the key; undefined when nothing lives. */
export function typeOf(versions: readonly Version[]): ValueType | undefined {
  const first = versions[0]?.type;
  if (first === undefined) return undefined;
  let type: ValueType = first;
  for (const version of versions) {
    if (version.type !== type && VALUE_TYPES.indexOf(version.type) > VALUE_TYPES.indexOf(type)) type = version.type;
  }
  return type;
}

/** The versions of one type; `versions` itself when they all are. */
export function ofType(versions: readonly Version[], type: ValueType): readonly Version[] {
  for (const version of versions) if (version.type !== type) return versions.filter((each) => each.type === type);
  return versions;
}
