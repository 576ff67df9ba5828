// Do two replicas that know the same have the same?
//
// Equal clocks mean equal states, unless a disk has lost a record or shows an older one: no checksum sees that. A span of
// keys is named by a digest over its keys and their dots; a dot names one value, so values need not go in. Comparing says
// nothing while the clocks differ. A key of which one side knows more than its clock says may differ for that; the vote
// on it then waits until others know the same.

import { compareKeys, isWithin, type KeySpan } from '../../clock/claims.js';
import type { Version } from '../../clock/container.js';
import type { VersionVector } from '../../clock/version-vector.js';
import { hash52 } from './ahead.js';

/** What a replica has in a span: by key with versions that no deadline ends, in the order of keys, the digest of their dots. */
export interface SpanDigest {
  readonly span: KeySpan;
  /** The node clock with which it was read. */
  readonly clock: VersionVector;
  readonly keys: ReadonlyMap<string, number>;
}

/** Undefined: there is nothing to compare. Replicas drop what has a deadline in their own time, so it does not go in. */
export function digestOfKey(key: string, versions: readonly Version[]): number | undefined {
  const lasting = versions.filter(({ deadlineMs }) => deadlineMs === undefined);
  if (lasting.length === 0) return undefined;
  return hash52(`${key}\n${lasting.map(({ actor, counter }) => `${actor}:${counter}`).join(' ')}`);
}

/** Names all that a span has. */
export function digestOfSpan(keys: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const digest of keys.values()) sum = (sum + digest) % 2 ** 52;
  return sum;
}

/** The keys that only one side has, or with other dots, as far as both tell. */
export function differingKeys(mine: SpanDigest, theirs: Pick<SpanDigest, 'span' | 'keys'>): readonly string[] {
  const keys = new Set([...mine.keys.keys(), ...theirs.keys.keys()]);
  return [...keys]
    .filter((key) => isWithin(theirs.span, key) && mine.keys.get(key) !== theirs.keys.get(key))
    .sort(compareKeys);
}
